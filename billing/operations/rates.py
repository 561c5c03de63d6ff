"""What currencies are worth in others, day by day: told by staff, kept for ever, used in reports only."""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction

from billing import queries
from billing.models import ExchangeRate
from billing.models.rates import PLACES
from billing.money import EXPONENTS
from billing.operations.staff import must_run_the_tenant
from kpplatform.errors import Invalid
from kpplatform.tenancy.models import Member

COLUMNS = ["day", "base", "quote", "rate", "source"]
RATE = r"^[0-9]{1,9}(\.[0-9]{1,12})?$"
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOST_RATES, LONGEST_SOURCE = 5_000, 50
EARLIEST = date(2000, 1, 1)


class BadRate(Invalid):
    code = "bad_rate"


@dataclass(frozen=True)
class Rated:
    """What is told: on a day one unit of `base` was worth `rate` of `quote`, by whom it was published."""

    day: date
    base: str
    quote: str
    rate: Decimal
    source: str


def rates_of(lines: Iterable[str]) -> Iterator[Rated]:
    """Yield the rates of a CSV with the columns day, base, quote, rate and source.

    Raises BadRate with the first bad line.
    """
    rows = csv.reader(lines, strict=True)
    try:
        if next(rows, []) != COLUMNS:
            raise BadRate(f"The first line must be {','.join(COLUMNS)}.")
        for cells in rows:
            if cells:
                yield _read(rows.line_num, cells)
    except csv.Error as error:
        raise BadRate(f"Line {rows.line_num} cannot be read.") from error


@transaction.atomic
def set_rates(*, rates: Iterable[Rated], by: Member, at: datetime) -> list[ExchangeRate]:
    """Let these rates hold: all of them, or none. Of a day the last one set holds; what held before is kept.

    One that holds already is not written again. Raises StaffOnly, and BadRate with the first bad one.
    """
    must_run_the_tenant(by)
    told = list(_checked(rates, queries.latest_day(at)))
    if not told:
        raise BadRate("There is no rate in it.")
    of = {name: {getattr(rate, name) for rate in told} for name in ("day", "base", "quote")}
    there = ExchangeRate.objects.filter(**{f"{name}__in": these for name, these in of.items()}).order_by("pk")
    held = {(rate.day, rate.base, rate.quote): rate for rate in there}
    new = []
    for rate in told:
        place = rate.day, rate.base, rate.quote
        if place not in held or (held[place].rate, held[place].source) != (rate.rate, rate.source):
            held[place] = ExchangeRate(**vars(rate), set_by=by, set_at=at)
            new.append(held[place])
    ExchangeRate.objects.bulk_create(new)
    return [held[place] for place in dict.fromkeys((rate.day, rate.base, rate.quote) for rate in told)]


def _checked(rates: Iterable[Rated], today: date) -> Iterator[Rated]:
    """Yield the rates. Raises BadRate with the first bad one."""
    for number, told in enumerate(rates, start=1):
        if wrong := _wrong(told, today):
            raise BadRate(f"Rate {number}: {wrong}.")
        if number > MOST_RATES:
            raise BadRate(f"At most {MOST_RATES} rates are set at once.")
        yield told


def _wrong(told: Rated, today: date) -> str:
    """Return what is wrong with a rate; nothing when it can hold."""
    if not EARLIEST <= told.day <= today:
        return f"{told.day} is not a day that was"
    if told.base not in EXPONENTS or told.quote not in EXPONENTS or told.base == told.quote:
        return "it is of two currencies"
    if not told.rate > 0:
        return "a currency is worth something"
    if not told.source.strip() or len(told.source) > LONGEST_SOURCE or not told.source.isprintable():
        return f"a source of at most {LONGEST_SOURCE} letters is needed"
    return ""


def _read(line: int, cells: list[str]) -> Rated:
    """Read a line. Raises BadRate that says what of it cannot be read."""
    if len(cells) != len(COLUMNS):
        raise BadRate(f"Line {line}: it has not {len(COLUMNS)} columns.")
    day, base, quote, rate, source = (cell.strip() for cell in cells)
    if not DAY.fullmatch(day):
        raise BadRate(f"Line {line}: {day[:20]} is no day such as 2026-05-01.")
    if not re.fullmatch(RATE, rate):
        raise BadRate(f"Line {line}: a rate is a number such as 7.8, with up to {PLACES} places.")
    try:
        return Rated(date.fromisoformat(day), base, quote, Decimal(rate), source)
    except ValueError as error:
        raise BadRate(f"Line {line}: there is no day {day}.") from error
