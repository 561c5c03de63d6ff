"""Whom a version favours is told with its judgement, by a command, and in the admin."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from kpplatform.tenancy.models import Member, Tenant
from recommender.models import ModelVersion
from recommender.training import retrain
from tests import make
from tests.recommender import planted
from tests.recommender.ml import make as folders

pytestmark = pytest.mark.usefixtures("_fresh_cache")


def told(**asked: Any) -> dict[str, Any]:
    said = StringIO()
    call_command("audit", stdout=said, **asked)
    report: dict[str, Any] = json.loads(said.getvalue())
    return report


def test_a_judged_version_keeps_whom_it_favours(in_school: Tenant) -> None:
    planted.busy_world()

    retrain(tenant=in_school, at=timezone.now())

    version = ModelVersion.objects.get()
    report = told(tenant="school")
    assert report["version"] == version.pk
    assert report["model"] == version.kind == version.metrics["best"]
    assert report["k"] == 20
    assert report["viewers"] == version.metrics["viewers"]
    assert 0 <= report["popularity"]["gini"] < 1
    assert sum(group["items"] for group in report["creators"]["size"].values()) == pytest.approx(1, abs=1e-3)


def test_staff_see_it_on_the_page_of_the_version(in_school: Tenant) -> None:
    planted.busy_world()
    retrain(tenant=in_school, at=timezone.now())
    version = ModelVersion.objects.get()
    lift = version.metrics["audit"]["popularity"]["lift"]
    page = make.client(make.member(Member.Role.ADMIN)).get(
        f"/admin/recommender/modelversion/{version.pk}/change/", headers={"accept-language": "en"}
    )

    assert "shown_to_wanted" in page.content.decode()
    assert f">{lift}<" in page.content.decode()


def test_any_folder_can_be_audited(tmp_path: Path) -> None:
    wanted = {viewer: [viewer % 2, viewer % 2 + 2, viewer % 2 + 4, viewer % 2 + 6] for viewer in range(40)}
    rows = [(viewer, item, place) for viewer, items in wanted.items() for place, item in enumerate(items)]
    viewer, item, place = (list(column) for column in zip(*rows, strict=True))
    at = [folders.NOON + of * folders.HOUR for of in place]
    folder = folders.folder(tmp_path, viewer=viewer, item=item, at=at, kind=["like"] * len(at))

    report = told(data=folder, model="item-cosine", protocol="leave-one-out", k=1)

    assert report["viewers"] == 40
    assert report["popularity"]["coverage"] == pytest.approx(2 / 8)
    assert (report["popularity"]["arp"], report["popularity"]["lift"]) == (20, 0)  # as many had met what they had met
    assert report["creators"] == {}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"tenant": "nobody"}, "tenant_unknown"),
        ({"tenant": "school"}, "nothing_audited"),
        ({"data": Path("nowhere")}, "folder_missing"),
    ],
)
def test_what_cannot_be_told_is_refused_by_code(school: Tenant, asked: dict[str, Any], code: str) -> None:
    with pytest.raises(CommandError, match=f"^{code}: "):
        told(**asked)
