"""Days are counted by a job: the late ones again, each whole or not at all, by the tenant's clock."""

import random
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.utils import timezone

from catalog.models import Watch
from kpplatform.metrics import operations, queries, tasks
from kpplatform.metrics.models import CountedDay, DailyFigure
from kpplatform.metrics.queries import Span
from kpplatform.metrics.queries.returning import MONTH, NEW, OLDER
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.operations import stand_in
from kpplatform.tenancy.scope import scope
from tests import make
from tests.catalog import things
from tests.concurrency import at_once
from tests.conftest import COMMITTED, NOON
from tests.metrics.happened import DAY, counted, watch
from tests.processes import ROOT, environment, eventually


def plays(day: date) -> int:
    return queries.totals(["plays"], Span(day, day))["plays"]


def ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)


def by_the_clock_of(tenant: Tenant, at: datetime) -> date:
    return at.astimezone(ZoneInfo(tenant.time_zone)).date()


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 10, 26), 24)],
    ids=["spring", "autumn", "usual"],
)
def test_a_day_is_as_long_as_the_tenants_clock_makes_it(in_school: Tenant, day: date, hours: int) -> None:
    """In Berlin. A watch in each of its hours; one before it and one after it are of other days."""
    in_school.time_zone = "Europe/Berlin"
    begins = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
    video, viewer = things.video(), make.member()
    for hour in range(-1, hours + 1):
        watch(viewer, video, at=begins + timedelta(hours=hour))

    operations.count_day(day=day, at=NOON)

    assert plays(day) == hours
    by_hour = queries.by_part("plays_by_hour", Span(day, day))
    assert by_hour.get("2", 0) == {23: 0, 24: 1, 25: 2}[hours]
    assert sum(by_hour.values()) == hours


def test_the_same_moments_are_other_days_elsewhere(in_school: Tenant) -> None:
    video = things.video()
    for hours in (-20, -6, 0, 6, 20):
        watch(make.member(), video, at=NOON + timedelta(hours=hours))

    days = {}
    for zone in ("Pacific/Kiritimati", "Etc/GMT+12"):  # 14 hours before, 12 hours behind
        in_school.time_zone = zone
        counted(-1, 0, 1)
        days[zone] = [plays(DAY + timedelta(days=after)) for after in (-1, 0, 1)]

    assert days == {"Pacific/Kiritimati": [0, 2, 3], "Etc/GMT+12": [2, 3, 0]}


@COMMITTED
def test_the_job_counts_what_was_never_counted_and_what_came_in_late(school: Tenant) -> None:
    with scope(school):
        video = things.video()
        watch(make.member(), video, at=ago(9))
        watch(make.member(), video, at=ago(300), quarantine=Watch.Quarantine.CLOCK_SKEW)

    tasks.count_days(tenant=school)
    with scope(school):
        first = [of.day for of in CountedDay.objects.order_by("day")]
        watch(make.member(), video, at=ago(5), received_at=timezone.now())
        CountedDay.objects.filter(day=by_the_clock_of(school, timezone.now())).delete()  # it is another day
    tasks.count_days(tenant=school)

    with scope(school):
        assert first == [by_the_clock_of(school, ago(days)) for days in range(9, -1, -1)]
        assert plays(by_the_clock_of(school, ago(9))) == plays(by_the_clock_of(school, ago(5))) == 1
        assert CountedDay.objects.count() == 10


@COMMITTED
def test_a_job_that_is_killed_between_days_has_whole_days_and_goes_on(school: Tenant) -> None:
    """It is made to wait for the fourth day, which somebody else is at, and killed there."""
    with scope(school):
        video = things.video()
        for days in range(6, -1, -1):
            watch(make.member(), video, at=ago(days))
    held = by_the_clock_of(school, ago(3))
    command = [sys.executable, "manage.py", "count_days", "--tenant", "school", "--skip-checks"]

    with scope(school):
        CountedDay.objects.create(day=held, counted_at=NOON)
        job = subprocess.Popen(command, cwd=ROOT, env=environment())
        eventually(lambda: CountedDay.objects.exclude(day=held).count(), 3)
        job.kill()
        job.wait()
        CountedDay.objects.filter(day=held).delete()

    with scope(school):
        assert CountedDay.objects.count() == 3
        assert [len(queries.differences(day)) for day in queries.days_counted()] == [0, 0, 0]
        assert not DailyFigure.objects.filter(day__gte=held).exists()
    tasks.count_days(tenant=school)
    with scope(school):
        assert [plays(by_the_clock_of(school, ago(days))) for days in range(7)] == [1] * 7


@COMMITTED
def test_a_day_that_two_count_at_once_is_counted_once(school: Tenant) -> None:
    with scope(school):
        watch(make.member(), things.video())

    raised = at_once(school, [counted] * 4)

    with scope(school):
        assert raised == [None] * 4
        assert plays(DAY) == CountedDay.objects.count() == 1
        assert queries.differences(DAY) == []


@COMMITTED
def test_the_command_counts_days_and_says_what_stands_otherwise(
    school: Tenant, agency: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    with scope(school):
        watch(make.member(), things.video(), at=ago(1))
    day = by_the_clock_of(school, ago(1))
    call_command("count_days", since=day - timedelta(days=2))
    call_command("count_days", check=True)
    said = capsys.readouterr().out
    assert "school: 4 days counted" in said
    assert "school: 4 days compared, 0 of them unlike" in said
    assert "agency: 4 days compared, 0 of them unlike" in said

    with scope(school):
        DailyFigure.objects.filter(day=day, metric="plays", item=None, creator=None).update(value=7)
    with pytest.raises(SystemExit) as end:
        call_command("count_days", check=True)

    assert end.value.code == 1
    assert f"{day} plays feed: 7 stands, 1 is counted" in capsys.readouterr().out


Key = tuple[date, str, int | None, int | None, str]
Level = tuple[date, int | None, int | None]


def recounted(watches: list[Watch], zone: ZoneInfo) -> dict[Key, int]:
    """Count what a plain reading of the events says, in the order in which they happened."""
    figures: Counter[Key] = Counter()
    seen: defaultdict[Level, set[int]] = defaultdict(set)
    last: dict[int, list[date]] = {}
    for of in sorted(watches, key=lambda of: of.started_at):
        day, creator = of.started_at.astimezone(zone).date(), of.item.creator_id
        if of.quarantine:
            figures[day, "kept_out", None, None, of.quarantine] += 1
            continue
        for level in ((None, None), (creator, None), (creator, of.item_id)):
            figures[day, "plays", *level, of.source] += 1
            figures[day, "watch_ms", *level, of.source] += of.watch_ms
            figures[day, "finished", *level, of.source] += of.watch_ms >= 0.9 * of.duration_ms
            figures[day, "stops", *level, str(min(20, of.watch_ms * 20 // of.duration_ms))] += 1
            if of.viewer.role != Member.Role.ANONYMOUS:
                seen[day, *level].add(of.viewer_id)
                figures[day, "viewers_ms", *level, ""] += of.watch_ms
        if of.viewer.role != Member.Role.ANONYMOUS:
            _came_back(figures, last.setdefault(of.viewer_id, []), day)
    figures.update({(day, "viewers", creator, item, ""): len(who) for (day, creator, item), who in seen.items()})
    return {key: value for key, value in figures.items() if value}


def _came_back(figures: Counter[Key], days: list[date], day: date) -> None:
    if day in days:
        return
    gap = (day - days[-1]).days if days else None
    part = NEW if gap is None else str(gap) if gap < MONTH else OLDER
    figures[day, "came_back", None, None, part] += 1
    figures[day, "retained", None, None, str((day - (days or [day])[0]).days)] += 1
    days.append(day)


@pytest.mark.parametrize("seed", range(4))
def test_the_figures_are_what_a_plain_recount_of_any_events_gives(in_school: Tenant, seed: int) -> None:
    chance = random.Random(seed)
    zone = ZoneInfo(chance.choice(["Asia/Shanghai", "America/New_York", "Asia/Kathmandu", "Pacific/Chatham"]))
    in_school.time_zone = zone.key
    viewers = [make.member() for _ in range(5)] + [Member.objects.get(pk=stand_in())]
    creators = [things.creator(), things.creator()]
    items = [things.video(of, duration_ms=chance.randint(1, 90_000)) for of in creators * 2]
    for _ in range(90):
        item = chance.choice(items)
        watch(
            chance.choice(viewers),
            item,
            at=NOON + timedelta(seconds=chance.randint(0, 2 * 86_400), days=chance.choice([0, 1, 30])),
            watch_ms=chance.randint(0, 2 * (item.duration_ms or 1)),
            duration_ms=item.duration_ms,
            source=chance.choice(["feed", "search", ""]),
            quarantine=chance.choice(["", "", "", Watch.Quarantine.BOT]),
        )
    expected = recounted(list(Watch.objects.select_related("item", "viewer")), zone)

    counted(*range(-1, 4), *range(29, 34))

    names = {name for _, name, *_ in expected}
    rows = DailyFigure.objects.filter(metric__in=names)
    stored = {(of.day, of.metric, of.creator_id, of.item_id, of.part): of.value for of in rows}
    assert names >= {"plays", "watch_ms", "stops", "viewers", "came_back", "retained", "kept_out"}
    assert stored == expected
