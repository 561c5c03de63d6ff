"""Months, years and what is left of them."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from billing.periods import MONTHS, anchor_of, following, unused

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
moments = some.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=some.just(UTC))  # noqa: DTZ001
zones = some.sampled_from([UTC, SHANGHAI, NEW_YORK])


def days(start: datetime, interval: str, number: int) -> list[str]:
    anchor, ends = start.day, []
    for _ in range(number):
        start = following(start, interval=interval, anchor=anchor, zone=UTC)
        ends.append(f"{start:%y-%m-%d}")
    return ends


@pytest.mark.parametrize(
    ("start", "interval", "ends"),
    [
        ((2025, 1, 31), "month", ["25-02-28", "25-03-31", "25-04-30", "25-05-31"]),
        ((2024, 1, 30), "month", ["24-02-29", "24-03-30"]),
        ((2024, 2, 29), "month", ["24-03-29", "24-04-29"]),
        ((2025, 12, 31), "month", ["26-01-31", "26-02-28"]),
        ((2025, 12, 1), "month", ["26-01-01", "26-02-01"]),
        ((2024, 2, 29), "year", ["25-02-28", "26-02-28", "27-02-28", "28-02-29"]),
        ((2025, 6, 15), "year", ["26-06-15", "27-06-15"]),
    ],
)
def test_a_period_ends_on_the_anchor_day_or_the_months_last(
    start: tuple[int, int, int], interval: str, ends: list[str]
) -> None:
    assert days(datetime(*start, 12, tzinfo=UTC), interval, len(ends)) == ends


def test_the_day_is_the_tenants_and_not_greenwichs() -> None:
    start = datetime(2025, 1, 30, 23, tzinfo=UTC)  # the 31st, seven in the morning, in Shanghai

    anchor = anchor_of(start, zone=SHANGHAI)

    assert anchor == 31
    assert following(start, interval="month", anchor=anchor, zone=SHANGHAI) == datetime(2025, 2, 27, 23, tzinfo=UTC)


def test_the_hour_is_kept_where_clocks_are_put_forward() -> None:
    start = datetime(2025, 2, 20, 17, tzinfo=UTC)  # noon in New York

    assert following(start, interval="month", anchor=20, zone=NEW_YORK) == datetime(2025, 3, 20, 16, tzinfo=UTC)


@given(start=moments, interval=some.sampled_from(sorted(MONTHS)), zone=zones)
def test_periods_follow_one_another_without_drifting(start: datetime, interval: str, zone: ZoneInfo) -> None:
    anchor, first = anchor_of(start, zone=zone), start.astimezone(zone)
    months = 12 if interval == "year" else 1

    for number in range(1, 15):
        end = following(start, interval=interval, anchor=anchor, zone=zone)
        local = end.astimezone(zone)
        assert end > start
        assert local.year * 12 + local.month == first.year * 12 + first.month + number * months
        assert local.day == min(anchor, monthrange(local.year, local.month)[1])
        start = end


@given(
    amount=some.integers(0, 10**12),
    start=moments,
    length=some.timedeltas(timedelta(days=28), timedelta(days=366)),
    shares=some.tuples(some.floats(-0.5, 1.5), some.floats(-0.5, 1.5)),
)
def test_what_is_left_only_shrinks_from_the_whole_to_nothing(
    amount: int, start: datetime, length: timedelta, shares: tuple[float, float]
) -> None:
    span = {"starts_at": start, "ends_at": start + length}
    earlier, later = sorted(start + length * share for share in shares)

    assert unused(amount, **span, at=start) == amount
    assert unused(amount, **span, at=start + length) == 0
    assert 0 <= unused(amount, **span, at=later) <= unused(amount, **span, at=earlier) <= amount


def test_half_of_a_month_is_half_of_its_price_less_a_part_of_a_unit() -> None:
    span = {"starts_at": datetime(2025, 6, 1, tzinfo=UTC), "ends_at": datetime(2025, 7, 1, tzinfo=UTC)}

    assert unused(3_001, **span, at=datetime(2025, 6, 16, tzinfo=UTC)) == 1_500
