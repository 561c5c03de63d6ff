"""Each week is reported once, to each creator of whom something was counted and for the tenant, and announced."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from creators.models import Creator
from kpplatform.metrics import operations, queries, tasks
from kpplatform.metrics.models import CountedDay, WeeklyReport
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from recommender.models import Notice
from recommender.operations import refuse_notices
from tests import make
from tests.catalog import things
from tests.concurrency import at_once
from tests.conftest import COMMITTED
from tests.metrics.figured import figure

pytestmark = pytest.mark.usefixtures("_fresh_cache")

REPORTS = "/api/v1/weekly-reports/"
WEEK = date(2026, 4, 20)  # a Monday; that of noon is the one after
NOW = datetime(2026, 4, 28, 6, tzinfo=UTC)


def counted(week: date = WEEK) -> None:
    """Note that a week was counted to its end."""
    CountedDay.objects.create(day=week + timedelta(days=6), counted_at=NOW)


def played(creator: Creator | None, plays: int, finished: int, *, week: date = WEEK) -> None:
    for name, value, part in (("plays", plays, "feed"), ("finished", finished, "")):
        figure(name, value, part, day=week + timedelta(days=2), creator=creator)


def maker(**said: Any) -> Creator:
    return things.creator(make.member(Member.Role.CREATOR, language="en"), **said)


def report(*, at: datetime = NOW) -> list[date]:
    """Report what is due, as the job does."""
    due = queries.weeks_due(at=at)
    for week in due:
        last: int | None = 0
        while last is not None:
            last = operations.report_some(week=week, after=last, at=at)
        operations.report_tenant(week=week, at=at)
    return due


def own(of: Creator) -> WeeklyReport:
    return WeeklyReport.objects.get(creator=of)


def test_a_week_tells_its_sums_what_it_asks_for_and_what_became_of_the_last_ones(in_school: Tenant) -> None:
    creator = maker()
    played(creator, 100, 10, week=WEEK - timedelta(weeks=1))  # 10 % go to the end
    played(creator, 200, 30)  # 15 %: better, and still below a fifth
    figure("creator_income", 700, "sale:CNY", day=WEEK, creator=creator)
    figure("creator_income", 5_000, "sale:USD", day=WEEK, creator=creator)
    played(None, 300, 150)
    counted()

    assert report() == [WEEK]

    found = own(creator)
    assert (found.figures["plays"], found.figures["creator_income"], found.before["plays"]) == (200, 700, 100)
    assert {"code": "left_early", "measured": 0.15} in found.actions
    assert {"code": "left_early", "before": 0.1, "after": 0.15, "is_better": True} in found.followed
    whole = WeeklyReport.objects.get(creator=None)
    assert (whole.figures["plays"], whole.week, whole.currency) == (300, WEEK, "CNY")
    [notice] = Notice.objects.all()
    assert notice.viewer == creator.member
    assert notice.text_en.startswith("Your week from April 20, 2026: 200 plays, ")
    assert "Make it shorter or tighter" in notice.text_en
    assert "became better." in notice.text_en
    assert "200" in notice.text_zh
    assert "播放" in notice.text_zh


def test_it_is_reported_and_announced_once(in_school: Tenant) -> None:
    played(maker(), 100, 50)
    played(None, 100, 50)
    counted()

    assert report() == [WEEK]
    assert report() == []
    operations.report_some(week=WEEK, after=0, at=NOW)
    assert operations.report_tenant(week=WEEK, at=NOW) is False

    assert (WeeklyReport.objects.count(), Notice.objects.count()) == (2, 1)


def test_a_week_waits_until_it_is_over_and_counted(in_school: Tenant) -> None:
    played(None, 1, 1)
    assert report() == [], "Its last day was not counted."
    CountedDay.objects.create(day=WEEK + timedelta(days=6), counted_at=datetime(2026, 4, 26, 15, tzinfo=UTC))
    assert report() == [], "It was counted at eleven in the evening."
    CountedDay.objects.update(counted_at=datetime(2026, 4, 26, 16, 1, tzinfo=UTC))
    assert report() == [WEEK], "In Shanghai it is Monday."


def test_weeks_that_were_left_out_are_made_good_the_oldest_first(in_school: Tenant) -> None:
    weeks = [WEEK - timedelta(weeks=back) for back in range(6)]
    for week in weeks:
        played(None, 10, 5, week=week)
        counted(week)

    assert report() == sorted(weeks[:4])


def test_who_wants_no_notices_has_the_report_all_the_same(in_school: Tenant) -> None:
    silent, imported = maker(), maker()
    Creator.objects.filter(pk=imported.pk).update(member=None)
    assert silent.member
    refuse_notices(viewer=silent.member, at=NOW)
    for creator in (silent, imported):
        played(creator, 60, 30)
    counted()

    report()

    assert WeeklyReport.objects.filter(creator__in=[silent, imported]).count() == 2
    assert not Notice.objects.exists()


def test_the_door_shows_creators_their_own_and_staff_all(in_school: Tenant) -> None:
    mine, other = maker(handle="mine"), maker(handle="other")
    for creator in (mine, other, None):
        played(creator, 100, 10)
    counted()
    report()

    def asked(client: APIClient, **said: Any) -> list[str | None]:
        return [of["creator"] for of in client.get(REPORTS, said).json()["results"]]

    assert mine.member
    client, staff = make.client(mine.member), make.client(make.member(Member.Role.STAFF))
    assert asked(client) == ["mine"]
    assert asked(staff) == [None, "other", "mine"]
    assert asked(staff, creator="other") == ["other"]
    assert asked(make.client(make.member())) == []
    assert client.get(f"{REPORTS}{own(other).pk}/").status_code == 404
    told = client.get(f"{REPORTS}{own(mine).pk}/", headers={"accept-language": "en"}).json()
    assert [action["advice"] for action in told["actions"] if action["code"] == "left_early"] == [
        "Make it shorter or tighter: few watch to the end."
    ]
    Member.objects.filter(pk=mine.member.pk).update(language="zh-hans")
    for path in (REPORTS, f"{REPORTS}{own(mine).pk}/"):
        page = make.client(mine.member).get(path, headers={"accept-language": "en"}).content.decode()
        assert "做得更短更紧凑" in page, "In their own language, whatever the browser says."
    first = staff.get(REPORTS, {"limit": 1}).json()
    assert [of["creator"] for of in staff.get(first["next"]).json()["results"]] == ["other"]


def test_many_creators_cost_as_many_statements_as_one(in_school: Tenant) -> None:
    played(maker(), 100, 10)
    counted()
    with CaptureQueriesContext(connection) as one:
        operations.report_some(week=WEEK, after=0, at=NOW)
    for _ in range(10):
        played(maker(), 100, 10)
    with CaptureQueriesContext(connection) as ten:
        operations.report_some(week=WEEK, after=0, at=NOW)

    assert WeeklyReport.objects.count() == 11
    assert len(one) == len(ten)


@COMMITTED
def test_a_worker_that_dies_is_gone_on_from(school: Tenant, agency: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "REPORTED_AT_ONCE", 2)
    with scope(school):
        for _ in range(5):
            played(maker(), 100, 10, week=_last_week())
        played(None, 500, 50, week=_last_week())
        CountedDay.objects.create(day=_last_week() + timedelta(days=6), counted_at=datetime.now(UTC))
    whole, batches = operations.report_some, []

    def die(**said: Any) -> int | None:
        batches.append(1)
        if len(batches) == 2:
            raise KeyboardInterrupt
        return whole(**said)

    with monkeypatch.context() as dying:
        dying.setattr(operations, "report_some", die)
        with pytest.raises(KeyboardInterrupt):
            tasks.report_weeks(tenant=school)
    with scope(school):
        assert (WeeklyReport.objects.count(), Notice.objects.count()) == (2, 2)

    tasks.report_weeks(tenant=school)
    tasks.report_weeks(tenant=school)
    with scope(school):
        assert (WeeklyReport.objects.count(), Notice.objects.count()) == (6, 5)
    with scope(agency):
        assert not WeeklyReport.objects.exists()


@COMMITTED
def test_two_workers_at_once_report_and_tell_once(school: Tenant) -> None:
    with scope(school):
        creators = [maker() for _ in range(5)]
        for creator in creators:
            played(creator, 100, 10)

    ends = at_once(school, [lambda: operations.report_some(week=WEEK, after=0, at=NOW)] * 2)

    with scope(school):
        assert {*ends} <= {creators[-1].pk, None}, "Neither failed; who came late found nothing to do."
        assert (WeeklyReport.objects.count(), Notice.objects.count()) == (5, 5)


def _last_week() -> date:
    today = queries.today(datetime.now(UTC))
    return today - timedelta(days=today.weekday() + 7)
