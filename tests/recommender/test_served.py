"""Which version is served to whom: promoted, tried on some, withdrawn, gone back to; each change written down."""

import shutil
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.places import tenant_folder
from kpplatform.tenancy.scope import scope
from recommender import operations
from recommender.models import ModelVersion, VersionChange
from recommender.operations import NothingToGoBackTo, NotServable, NotServed, Word
from recommender.queries import canary_version, folders_in_use, published_version
from tests import make
from tests.conftest import COMMITTED
from tests.recommender import planted

MODELS = "/api/v1/models/"
VIEWERS = 10_000

pytestmark = pytest.mark.usefixtures("_fresh_cache")


def word(why: str = "a test") -> Word:
    return Word(by=None, why=why, at=timezone.now())


def planted_versions(count: int) -> list[ModelVersion]:
    """Return so many versions, each published in place of the one before."""
    versions = [planted.published(planted.tastes(planted.videos(1))) for _ in range(count)]
    for version in versions:
        version.refresh_from_db()
    return versions


def states(*versions: ModelVersion) -> list[str]:
    return [ModelVersion.objects.get(pk=version.pk).state for version in versions]


def test_going_back_serves_what_was_published_before(in_school: Tenant) -> None:
    first, second, third = planted_versions(3)

    operations.roll_back(word=word())

    assert states(first, second, third) == ["retired", "published", "withdrawn"]
    operations.roll_back(word=word())
    assert states(first, second, third) == ["published", "withdrawn", "withdrawn"]
    with pytest.raises(NothingToGoBackTo):
        operations.roll_back(word=word())
    assert published_version() == first


def test_going_back_passes_over_a_broken_artefact(in_school: Tenant) -> None:
    first, broken, _third = planted_versions(3)
    (tenant_folder("models", broken.folder) / "item_vectors.npy").write_bytes(b"cut off")

    assert operations.roll_back(word=word()) == first


def test_a_retired_version_is_served_again_and_the_other_gives_way(in_school: Tenant) -> None:
    first, second = planted_versions(2)

    operations.promote_version(version=first, word=word())

    assert states(first, second) == ["published", "retired"]


@pytest.mark.parametrize("act", ["promote_version", "try_version"])
def test_what_has_no_whole_artefact_is_not_served(in_school: Tenant, act: str) -> None:
    lost, published = planted_versions(2)
    shutil.rmtree(tenant_folder("models", lost.folder))
    asked: dict[str, Any] = {"percent": 10} if act == "try_version" else {}

    for version in (lost, published):
        with pytest.raises(NotServable):
            getattr(operations, act)(version=version, word=word(), **asked)

    assert published_version() == published


def test_a_canary_is_tried_on_its_share_of_the_viewers_and_always_on_the_same(in_school: Tenant) -> None:
    tried, _published = planted_versions(2)

    few = operations.try_version(version=tried, percent=10, word=word())
    served_by_few = {viewer for viewer in range(VIEWERS) if few.is_tried_on(viewer)}
    more = operations.try_version(version=tried, percent=30, word=word())
    served_by_more = {viewer for viewer in range(VIEWERS) if more.is_tried_on(viewer)}

    assert canary_version() == tried
    assert abs(len(served_by_few) / VIEWERS - 0.10) < 0.01
    assert abs(len(served_by_more) / VIEWERS - 0.30) < 0.015
    assert served_by_few < served_by_more


def test_a_canary_ends_as_published_or_withdrawn(in_school: Tenant) -> None:
    first, second, third = planted_versions(3)

    operations.try_version(version=first, percent=5, word=word())
    operations.promote_version(version=first, word=word())
    operations.try_version(version=second, percent=5, word=word())
    operations.withdraw_version(version=second, word=word())

    assert states(first, second, third) == ["published", "withdrawn", "retired"]
    assert canary_version() is None
    first.refresh_from_db()
    assert first.canary_share is None
    with pytest.raises(NotServed):
        operations.withdraw_version(version=second, word=word())


def test_a_second_canary_takes_the_place_of_the_first(in_school: Tenant) -> None:
    first, second, third = planted_versions(3)

    for version in (first, second):
        operations.try_version(version=version, percent=5, word=word())

    assert states(first, second, third) == ["withdrawn", "canary", "published"]


def test_the_artefacts_of_what_is_served_are_kept(in_school: Tenant) -> None:
    first, *_others, last = planted_versions(6)
    operations.try_version(version=first, percent=5, word=word())

    operations.clear_artefacts()

    kept = {path.name for path in tenant_folder("models").iterdir()}
    assert kept == folders_in_use()
    assert {first.folder, last.folder} < kept
    assert len(kept) == 4


def test_every_change_is_written_down_and_stays(in_school: Tenant) -> None:
    first, second = planted_versions(2)
    who = make.member(Member.Role.STAFF)

    operations.roll_back(word=Word(by=who, why="worse pages", at=timezone.now()))

    journal = [(line.version_id, line.before, line.after, line.by_id, line.why) for line in VersionChange.objects.all()]
    assert sorted(journal) == [
        (first.pk, "retired", "published", who.pk, "worse pages"),
        (second.pk, "published", "withdrawn", who.pk, "worse pages"),
    ]
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        VersionChange.objects.update(why="better pages")


def test_a_canary_without_a_share_cannot_be_written(in_school: Tenant) -> None:
    first, _second = planted_versions(2)

    with pytest.raises(IntegrityError, match="a_canary_has_a_share"), transaction.atomic():
        ModelVersion.objects.filter(pk=first.pk).update(state="canary")


def test_staff_go_back_try_promote_and_withdraw_over_http(in_school: Tenant) -> None:
    first, second = planted_versions(2)
    who = make.member(Member.Role.STAFF)
    staff = make.client(who)

    assert staff.post(f"{MODELS}rollback/", {"why": "worse pages"}).json()["id"] == first.pk
    tried = staff.post(f"{MODELS}{second.pk}/canary/", {"percent": 20, "why": "look again"}).json()
    assert (tried["state"], tried["canary_share"]) == ("canary", 0.2)
    assert staff.post(f"{MODELS}{second.pk}/promote/", {"why": "it is better"}).json()["state"] == "published"
    assert staff.post(f"{MODELS}{second.pk}/withdraw/", {"why": "it is not"}).json()["state"] == "withdrawn"
    refused = staff.post(f"{MODELS}{second.pk}/withdraw/", {"why": "again"})

    assert (refused.status_code, refused.json()["code"]) == (409, "version_not_served")
    journal = staff.get(f"{MODELS}changes/").json()["results"]
    assert [(line["after"], line["why"]) for line in journal[:2]] == [
        ("withdrawn", "it is not"),
        ("published", "it is better"),
    ]
    assert {line["by"] for line in journal} == {who.pk}


@pytest.mark.parametrize("percent", [0, 100, -5, 10.5, "10", None])
def test_a_share_that_is_none_is_refused(in_school: Tenant, percent: object) -> None:
    first, _second = planted_versions(2)
    staff = make.client(make.member(Member.Role.STAFF))

    answer = staff.post(f"{MODELS}{first.pk}/canary/", {"percent": percent, "why": "?"})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert canary_version() is None


def test_viewers_change_nothing(client: APIClient) -> None:
    first, _second = planted_versions(2)

    for asked in ("rollback/", f"{first.pk}/promote/", f"{first.pk}/canary/", f"{first.pk}/withdraw/"):
        assert client.post(MODELS + asked, {"why": "mine", "percent": 5}).status_code == 403

    assert not VersionChange.objects.exists()


@COMMITTED
def test_the_command_does_what_the_door_does(school: Tenant, capsys: pytest.CaptureFixture[str]) -> None:
    with scope(school):
        first, second = planted_versions(2)

    call_command("model", "rollback", tenant="school", why="at night")
    call_command("model", "canary", tenant="school", version_id=second.pk, percent=5, why="again")
    call_command("model", "list", tenant="school")

    with scope(school):
        assert states(first, second) == ["published", "canary"]
    assert f"{second.pk}  canary 5 %" in capsys.readouterr().out
    for asked, code in (
        ({"tenant": "nowhere"}, "tenant_unknown"),
        ({"tenant": "school", "version_id": first.pk}, "version_not_servable"),
        ({"tenant": "school", "version_id": 10**9}, "version_unknown"),
        ({"tenant": "school"}, "version_missing"),
    ):
        with pytest.raises(CommandError, match=f"^{code}: "):
            call_command("model", "promote", why="x", **asked)
    connection.close()
