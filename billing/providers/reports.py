"""A provider's report: what it has moved, row by row, in our words."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import ClassVar, Protocol

from billing.money import Money
from billing.providers.messages import is_fit
from kpplatform.errors import Invalid

COLUMNS = ["kind", "reference", "key", "amount", "fee", "currency", "at"]
KINDS = {"payment", "refund", "payout", "reversal", "fee", "dispute", "reinstated", "split", "split_back", "other"}
MOST = 10**15


class BadReport(Invalid):
    code = "bad_report"


@dataclass(frozen=True)
class Reported:
    """One row: of which kind, under whose names, how much, and what the provider has kept of it, if it says."""

    kind: str
    reference: str
    key: str
    amount: Money
    fee: int | None
    at: datetime


class Reporting(Protocol):
    """A provider whose report can be fetched: about days of which zone, and how long after their end.

    For so long after it, a report without a row can be one that was not made yet: the provider tells both alike.
    """

    zone: ClassVar[tzinfo]
    ready_after: ClassVar[timedelta]
    may_be_late: ClassVar[timedelta]

    def fetch_report(self, *, since: datetime, until: datetime) -> Iterable[Reported]:
        """Yield what was moved since, and before until, a row at a time. Raises ProviderUnavailable and BadReport."""
        ...


def rows_of(lines: Iterable[str]) -> Iterator[Reported]:
    """Yield the rows of a report with the columns kind, reference, key, amount, fee, currency and at.

    Amounts are in minor units; a fee that is not told is left empty. Raises BadReport with the first bad line.
    """
    rows = csv_rows(lines)
    if next(rows, (1, []))[1] != COLUMNS:
        raise BadReport(f"The first line must be {','.join(COLUMNS)}.")
    for number, row in rows:
        try:
            yield _row(*row)
        except (TypeError, ValueError) as error:
            raise bad_line(number) from error


def csv_rows(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a CSV that are not empty, each with its line's number. Raises BadReport for what is no CSV."""
    rows = csv.reader(lines)
    try:
        yield from ((rows.line_num, row) for row in rows if row)
    except csv.Error as error:
        raise bad_line(rows.line_num) from error


def reported(kind: str, *, reference: str, key: str, amount: Money, fee: int | None, at: datetime) -> Reported:
    """Return a row. Raises ValueError when it could not be stored."""
    if kind not in KINDS or not is_fit(reference) or not is_fit(key) or at.tzinfo is None:
        raise ValueError(kind)
    if abs(amount.minor) >= MOST or abs(fee or 0) >= MOST:
        raise ValueError(amount)
    return Reported(kind, reference, key, amount, fee, at)


def bad_line(number: int) -> BadReport:
    """Return the refusal of a report for this line of it."""
    return BadReport(f"Line {number} cannot be read.")


def _row(kind: str, reference: str, key: str, amount: str, fee: str, currency: str, at: str) -> Reported:  # noqa: PLR0917  columns
    told = Money(int(amount), currency)
    kept = int(fee) if fee else None
    return reported(kind, reference=reference, key=key, amount=told, fee=kept, at=datetime.fromisoformat(at))
