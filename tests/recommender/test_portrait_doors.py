"""Who sees portraits and what is told of them: the viewer, staff, creators; exports, jobs, alerts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from catalog.models import Item
from creators.models import Creator
from kpplatform.jobs.models import Job
from kpplatform.jobs.running import run
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.places import tenant_folder
from kpplatform.tenancy.scope import scope
from recommender.models import Portrait, PortraitRun, Rule
from recommender.operations import StalePortraits, ask_for_export, ask_for_portraits, check_portraits
from recommender.training import export_portraits, refresh_portraits
from recommender.training.portraits import exporting
from tests import make
from tests.conftest import COMMITTED
from tests.recommender.portrayed import NOW, TOPICS, bought, fans, liked, members, portrait, topics, watched

pytestmark = pytest.mark.usefixtures("_fresh_cache")


def test_what_goes_together_is_told_to_staff_and_to_whom_it_concerns(in_school: Tenant) -> None:
    publisher = make.member(Member.Role.CREATOR)
    client = make.client(publisher)
    assert client.post("/api/v1/creators/", {"handle": "maker", "name": "Maker"}).status_code == 201
    items = topics("piano")["piano"]
    mine, theirs, rare, foreign = items[:4]
    Item.objects.filter(pk=mine.pk).update(creator=Creator.objects.get(handle="maker"))
    for number, viewer in enumerate(members(60)):
        if number < 24:
            liked(viewer, mine)
        if number < 21:
            bought(viewer, theirs)
            liked(viewer, foreign)
        if number < 10:
            bought(viewer, rare)
        if number >= 24:
            liked(viewer, items[4])

    refresh_portraits(tenant=in_school, at=NOW)

    rule = Rule.objects.get(given=mine, then=theirs)
    assert (rule.given_verb, rule.then_verb, rule.viewers) == ("liked", "bought", 21)
    assert (rule.support, rule.confidence) == pytest.approx((21 / 60, 21 / 24))
    assert rule.lift == pytest.approx(21 / 24 / (21 / 60))
    assert not Rule.objects.filter(then=rare).exists(), "Ten are fewer than k."
    everything = make.client(make.member(Member.Role.STAFF)).get("/api/v1/rules/").json()["results"]
    own = client.get("/api/v1/rules/").json()["results"]
    assert len(own) == 4
    assert all(mine.pk in {told["given"]["id"], told["then"]["id"]} for told in own)
    assert len(everything) == 6
    bundle = client.get(f"/api/v1/rules/?item={mine.pk}").json()["results"]
    assert {told["then"]["id"] for told in bundle} == {theirs.pk, foreign.pk}
    assert client.get("/api/v1/rules/?item=x").status_code == 400
    assert make.client(make.member()).get("/api/v1/rules/").json()["code"] == "not_a_creator"


def test_a_viewer_sees_their_own_portrait_and_nobody_elses(
    in_school: Tenant, client: APIClient, viewer: Member
) -> None:
    items = topics("piano", "cooking")
    (other,) = members(1)
    watched(viewer, items["piano"])
    watched(other, items["cooking"])
    assert client.get("/api/v1/portrait/").json() == {"portrait": None, "refused_at": None}

    refresh_portraits(tenant=in_school, at=NOW)

    told = client.get("/api/v1/portrait/").json()["portrait"]
    assert (told["viewer"], told["interests"][0][0]) == (viewer.pk, "topic:piano")
    assert sum(told["active_hours"]) == pytest.approx(1, abs=0.01)
    for path in ("", f"{portrait(other).pk}/", f"{portrait(other).pk}/nearest/", "report/"):
        assert client.get(f"/api/v1/portraits/{path}").status_code == 403, path
    assert client.get("/api/v1/segments/").status_code == 403


def test_a_list_of_portraits_asks_no_question_per_row(in_school: Tenant) -> None:
    items = topics("piano")
    staff = make.client(make.member(Member.Role.STAFF))

    def asked(count: int) -> int:
        for viewer in members(count):
            watched(viewer, items["piano"][:1])
        refresh_portraits(tenant=in_school, at=NOW)
        with CaptureQueriesContext(connection) as questions:
            assert len(staff.get("/api/v1/portraits/").json()["results"]) >= count
        return len(questions)

    asked(1)
    assert asked(1) == asked(5)


def test_p_times_f_can_be_read_from_the_export(in_school: Tenant, tmp_path: Path) -> None:
    items = topics("piano", "cooking")
    (viewer,) = members(1)
    watched(viewer, items["piano"][:2], days_ago=0)

    export_portraits(tenant=in_school, to=tmp_path, at=NOW + timedelta(minutes=2))

    wishes, features = (pq.read_table(tmp_path / name) for name in ("P.parquet", "F.parquet"))
    assert wishes.column_names[:3] == ["viewer", "topic:cooking", "topic:piano"]
    assert wishes.column_names[1:] == features.column_names[1:]
    assert wishes["viewer"].to_pylist() == [viewer.pk]
    assert wishes["topic:piano"].to_pylist() == wishes["tag:piano-tag"].to_pylist() == pytest.approx([8], abs=0.01)
    p, f = (np.array([of.to_numpy() for of in table.columns[1:]]).T for table in (wishes, features))
    best = np.array(features["item"].to_pylist())[np.argsort(-(f @ p[0]))[:5]]
    assert set(best) == {item.pk for item in items["piano"]}


def test_the_export_refuses_what_cannot_be(in_school: Tenant, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    call_command("export_portraits", tenant="school", to=tmp_path / "made")
    assert pq.read_table(tmp_path / "made" / "P.parquet").num_rows == 0
    with pytest.raises(CommandError, match="tenant_unknown"):
        call_command("export_portraits", tenant="nobody", to=tmp_path)
    with pytest.raises(CommandError, match="not_writable"):
        call_command("export_portraits", tenant="school", to=tmp_path / "file")


def test_blocks_of_an_export_make_one_file(in_school: Tenant, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(exporting, "AT_ONCE", 2)
    items = topics("piano", "cooking")
    for viewer in members(5):
        watched(viewer, items["piano"][:1])

    assert export_portraits(tenant=in_school, to=tmp_path, at=NOW) == (5, 10)
    assert len(pq.read_table(tmp_path / "P.parquet")) == 5


def test_staff_ask_for_a_refresh_and_for_an_export(in_school: Tenant, client: APIClient) -> None:
    staff = make.client(make.member(Member.Role.STAFF))

    for what in ("refresh", "export"):
        first, second = (staff.post(f"/api/v1/portraits/{what}/") for _ in range(2))
        assert (first.status_code, second.json()) == (202, {"job": None})
        assert Job.objects.get(pk=first.json()["job"]).queue == "training"
        assert client.post(f"/api/v1/portraits/{what}/").status_code == 403


@COMMITTED
def test_the_jobs_refresh_and_export(school: Tenant) -> None:
    with scope(school):
        items = topics("piano")
        for viewer in members(3):
            watched(viewer, items["piano"])
        asked = [ask_for_portraits(), ask_for_export()]

    for job in asked:
        assert job is not None
        assert run(tenant_id=school.pk, job_id=job.pk)

    with scope(school):
        assert {of.state for of in Job.objects.filter(pk__in=[job.pk for job in asked if job])} == {"done"}
        assert Portrait.objects.count() == 3
        folder = tenant_folder("exports", "portraits")
    assert {path.name for path in folder.iterdir()} == {"P.parquet", "F.parquet"}


def test_old_portraits_are_an_alert(in_school: Tenant, client: APIClient) -> None:
    staff = make.client(make.member(Member.Role.STAFF))
    items = topics("piano")
    (viewer,) = members(1)
    watched(viewer, items["piano"])
    now = datetime.now(UTC)
    refresh_portraits(tenant=in_school, at=now)
    check_portraits(at=now + timedelta(days=1))
    assert staff.get("/api/v1/portraits/report/").json()["is_stale"] is False

    with pytest.raises(StalePortraits):
        check_portraits(at=now + timedelta(days=2, minutes=1))

    PortraitRun.objects.update(at=now - timedelta(days=3))
    assert staff.get("/api/v1/portraits/report/").json()["is_stale"] is True
    page = staff.get("/admin/recommender/portraitrun/", headers={"accept-language": "en"}).content.decode()
    assert "The portraits are old" in page


def test_the_nearest_viewers_share_the_taste(in_school: Tenant) -> None:
    people = fans(topics(*TOPICS), each=6)
    refresh_portraits(tenant=in_school, at=NOW)
    staff = make.client(make.member(Member.Role.STAFF))
    own = portrait(people["piano"][0])

    answer = staff.get(f"/api/v1/portraits/{own.pk}/nearest/?most=5").json()["results"]

    assert {near["portrait"]["viewer"] for near in answer} == {viewer.pk for viewer in people["piano"][1:]}
    cosines = [near["cosine"] for near in answer]
    assert cosines == sorted(cosines, reverse=True)


def test_why_an_item_fits_is_told_to_the_viewer(in_school: Tenant, client: APIClient, viewer: Member) -> None:
    items = topics("piano", "cooking")
    watched(viewer, items["piano"][:3])
    watched(viewer, items["cooking"][:1])
    assert client.get(f"/api/v1/items/{items['piano'][4].pk}/fit/").json() == {"fit": 0.0, "terms": []}

    refresh_portraits(tenant=in_school, at=NOW)

    told = client.get(f"/api/v1/items/{items['piano'][4].pk}/fit/").json()
    assert told["terms"] == [
        ["tag:piano-tag", pytest.approx(3 / 8, abs=0.01)],
        ["topic:piano", pytest.approx(3 / 8, abs=0.01)],
    ]
    assert told["fit"] == pytest.approx(3 / 4, abs=0.02)


def test_data_that_have_shifted_are_an_alert(in_school: Tenant) -> None:
    items = topics("piano", "cooking")
    for viewer in members(60):
        watched(viewer, items["piano"], days_ago=15)
        watched(viewer, items["cooking"], days_ago=1)

    refresh_portraits(tenant=in_school, at=NOW)

    staff = make.client(make.member(Member.Role.STAFF))
    quality = staff.get("/api/v1/portraits/report/").json()["run"]["quality"]
    assert quality["alerts"] == ["topics_have_shifted"]
    assert quality["drift"]["topics"] > 1
    assert quality["completeness"]["events_with_topic"] == 1.0
    page = staff.get("/admin/recommender/portraitrun/", headers={"accept-language": "en"}).content.decode()
    assert "The data want looking at: topics_have_shifted" in page
