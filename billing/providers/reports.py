"""A provider's report: what it has moved, row by row, in our words."""

import csv
import io
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from billing.money import Money
from billing.providers.messages import is_fit
from kpplatform.errors import Invalid

COLUMNS = ["kind", "reference", "key", "amount", "fee", "currency", "at"]
KINDS = {"payment", "refund", "other"}
MOST_ROWS = 50_000


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


@runtime_checkable
class Reporting(Protocol):
    """A provider whose report can be fetched."""

    def fetch_report(self, *, since: datetime, until: datetime) -> list[Reported]:
        """Return what was moved since, and before until. Raises ProviderUnavailable."""
        ...


def read_csv(text: str) -> list[Reported]:
    """Return the rows of a report with the columns kind, reference, key, amount, fee, currency and at.

    Amounts are in minor units; a fee that is not told is left empty. Raises BadReport with the first bad line.
    """
    lines = csv.reader(io.StringIO(text))
    if next(lines, None) != COLUMNS:
        raise BadReport(f"The first line must be {','.join(COLUMNS)}.")
    rows = []
    for number, line in enumerate(lines, start=2):
        if number > MOST_ROWS + 1:
            raise BadReport(f"A report has at most {MOST_ROWS} rows.")
        try:
            rows.append(_row(*line))
        except (TypeError, ValueError) as error:
            raise BadReport(f"Line {number} cannot be read.") from error
    return rows


def _row(kind: str, reference: str, key: str, amount: str, fee: str, currency: str, at: str) -> Reported:  # noqa: PLR0917  columns
    moment = datetime.fromisoformat(at)
    if kind not in KINDS or not is_fit(reference) or not is_fit(key) or moment.tzinfo is None:
        raise ValueError(kind)
    return Reported(kind, reference, key, Money(_whole(amount), currency), _whole(fee) if fee else None, moment)


def _whole(digits: str) -> int:
    value = int(digits)
    if abs(value) >= 10**15:
        raise ValueError(digits)
    return value
