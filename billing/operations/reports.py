"""A provider's report as it came: kept on disk while it is compared, so that memory stays flat whatever its length."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from tempfile import TemporaryFile
from typing import IO

from billing.money import Money
from billing.providers import BadReport, Reported
from kpplatform.tenancy.models import Member

SOME = 1_000
MOST_ROWS = 5_000_000


@dataclass(frozen=True)
class Report:
    """What a provider says that it has moved since, and before until; who has uploaded it, if it was not fetched.

    Without a row, it may not have been made yet, until so long after the span.
    """

    provider: str
    since: datetime
    until: datetime
    rows: Iterable[Reported]
    by: Member | None = None
    may_be_late: timedelta = timedelta()


@dataclass(frozen=True)
class Kept:
    """All rows of a report, read to the end: how many, their hash, and where they lie."""

    count: int
    digest: str
    earliest: datetime
    latest: datetime
    file: IO[str]

    def batches(self) -> Iterator[list[Reported]]:
        """Yield the rows, some at a time."""
        self.file.seek(0)
        rows = map(_read, self.file)
        while some := list(islice(rows, SOME)):
            yield some


@contextmanager
def kept(rows: Iterable[Reported]) -> Iterator[Kept]:
    """Read a report to its end before anything is done about it. Raises what reading raises, and BadReport."""
    with TemporaryFile("w+", encoding="utf-8") as file:
        digest, count = hashlib.sha256(), 0
        earliest, latest = datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)
        for row in rows:
            earliest, latest = min(earliest, row.at), max(latest, row.at)
            line = _written(row)
            file.write(line)
            digest.update(line.encode())
            count += 1
            if count > MOST_ROWS:
                raise BadReport(f"A report has at most {MOST_ROWS} rows.")
        yield Kept(count, digest.hexdigest(), earliest, latest, file)


def _written(row: Reported) -> str:
    told = [row.kind, row.reference, row.key, row.amount.minor, row.amount.currency, row.fee, row.at.isoformat()]
    return json.dumps(told) + "\n"


def _read(line: str) -> Reported:
    kind, reference, key, minor, currency, fee, at = json.loads(line)
    return Reported(kind, reference, key, Money(minor, currency), fee, datetime.fromisoformat(at))
