"""Which days are to be counted again: none that got something late is forgotten, and nobody can ask for a thousand."""

from datetime import UTC, datetime, timedelta

import pytest

from catalog.models import Watch
from kpplatform.metrics import operations, queries
from kpplatform.metrics.models import CountedDay
from kpplatform.metrics.queries import Span
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.operations import stand_in
from tests import make
from tests.catalog import things
from tests.conftest import NOON
from tests.metrics.happened import DAY, counted, watch

pytestmark = pytest.mark.usefixtures("in_school")
ENDS = datetime(2026, 5, 1, 16, tzinfo=UTC)  # midnight in Shanghai
HOUR, ONE = timedelta(hours=1), timedelta(days=1)


def standing(*days: int, at: datetime) -> None:
    """Let these days have been counted at that moment."""
    CountedDay.objects.bulk_create(CountedDay(day=DAY + after * ONE, counted_at=at) for after in days)


def test_what_nobody_watched_late_is_found_though_only_the_hour_is_known_in_which_it_came() -> None:
    """It came at 55 past, is written as come in at the hour, and the days were counted at 50 past."""
    standing(-1, 0, at=NOON + timedelta(minutes=50))
    watch(Member.objects.get(pk=stand_in()), things.video(), at=NOON - ONE, received_at=NOON)

    assert queries.days_due(at=NOON + 2 * HOUR) == [DAY - ONE, DAY]


def test_a_wrong_clock_makes_no_day_due_and_is_told_of_the_day_on_which_it_was_heard() -> None:
    standing(0, at=NOON)
    video, viewer = things.video(), make.member()
    for years in range(1, 20):
        skewed = {"quarantine": Watch.Quarantine.CLOCK_SKEW, "received_at": NOON}
        watch(viewer, video, at=NOON - 365 * years * ONE, **skewed)
    watch(viewer, video, quarantine=Watch.Quarantine.CLOCK_SKEW, received_at=NOON - 40 * ONE)

    assert queries.days_due(at=NOON + HOUR) == [DAY]

    counted()
    assert queries.by_part("kept_out", Span(DAY, DAY)) == {"clock_skew": 19}


def test_late_events_of_the_days_before_wait_for_the_first_round_of_a_day() -> None:
    """A large tenant gets some of every day every hour."""
    standing(-9, -1, 0, at=NOON)
    for days in (9, 1):
        watch(make.member(), things.video(), at=NOON - days * ONE, received_at=NOON + 2 * HOUR)

    assert queries.days_due(at=NOON + 3 * HOUR) == [DAY - ONE, DAY]
    assert queries.days_due(at=ENDS + HOUR) == [DAY - 9 * ONE, DAY - ONE, DAY, DAY + ONE]


def test_a_day_is_counted_again_when_what_was_under_way_at_its_end_is_over() -> None:
    standing(0, 1, at=ENDS + HOUR)
    later = [2 * HOUR, 4 * HOUR, 23 * HOUR]

    assert [DAY in queries.days_due(at=ENDS + after) for after in later] == [False, True, True]

    operations.count_day(day=DAY, at=ENDS + 4 * HOUR)
    standing(7, 32, at=ENDS + 33 * ONE)
    assert [DAY in queries.days_due(at=ENDS + after * ONE) for after in (1, 6, 8)] == [False, False, True]
    operations.count_day(day=DAY, at=ENDS + 8 * ONE)
    assert [DAY in queries.days_due(at=ENDS + after * ONE) for after in (9, 30, 32)] == [False, False, True]


def test_a_clock_that_is_set_back_by_a_day_leaves_today_due() -> None:
    """The tenant has moved from one side of the date line to the other."""
    standing(0, 1, at=NOON)

    assert queries.days_due(at=NOON + HOUR) == [DAY]
