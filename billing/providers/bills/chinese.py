"""What the files of WeChat Pay and Alipay have in common: amounts in yuan, and Beijing's time."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, time, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal

from billing.money import Money
from billing.providers.reports import BadReport, Reported, bad_line

BEIJING = timezone(timedelta(hours=8))
STAMP = "%Y-%m-%d %H:%M:%S"
YUAN = re.compile(r"[+-]?\d{1,13}(\.\d{1,8})?")
Row = dict[str, str]


def fen(yuan: str) -> int:
    """Return how much that is in hundredths, rounded half up; its sign only says which way it went."""
    if not YUAN.fullmatch(yuan):
        raise ValueError(yuan)
    return int((abs(Decimal(yuan)) * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def cny(yuan: str) -> Money:
    """Return the amount, which must be whole hundredths."""
    money = Money(fen(yuan), "CNY")
    if Decimal(money.minor) != abs(Decimal(yuan)) * 100:
        raise ValueError(yuan)
    return money


def day_of(since: datetime, until: datetime) -> str:
    """Return the day in Beijing that this span is, as both write it. Raises BadReport for any other span."""
    start = since.astimezone(BEIJING)
    if until - since != timedelta(days=1) or start.time() != time():
        raise BadReport("The bills are about a day in Beijing.")
    return f"{start:%Y-%m-%d}"


def moment(text: str) -> datetime:
    return datetime.strptime(text, STAMP).replace(tzinfo=BEIJING)


def named(names: list[str], values: list[str], *, wide: str) -> Row:
    """Return a row by its columns' names. What was split at commas in its one free text is put together again.

    Raises ValueError for too few values.
    """
    more = len(values) - len(names)
    if more < 0:
        raise ValueError("too few columns")
    if more:
        at = names.index(wide)
        values = [*values[:at], ",".join(values[at : at + more + 1]), *values[at + more + 1 :]]
    return dict(zip(names, values, strict=True))


def each(rows: Iterable[tuple[int, Row]], read: Callable[[Row], Reported | None]) -> Iterator[Reported]:
    """Yield what each row says, if it is about us. Raises BadReport with the first bad line."""
    for number, row in rows:
        try:
            said = read(row)
        except (ValueError, KeyError, ArithmeticError) as error:
            raise bad_line(number) from error
        if said:
            yield said


def must_have(names: list[str], needed: set[str]) -> None:
    """Raise BadReport when columns are missing."""
    if missing := needed - set(names):
        raise BadReport(f"The report lacks the columns {', '.join(sorted(missing))}.")
