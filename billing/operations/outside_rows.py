"""Another platform's statement as it came: read a line at a time, and kept on disk while it is booked."""

import csv
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import islice
from tempfile import TemporaryFile
from typing import IO

from billing.models import OutsideIncome
from billing.money import EXPONENTS
from kpplatform.errors import Invalid

COLUMNS = ["day", "kind", "title", "reference", "gross", "fee", "currency"]
MOST_ROWS, SOME = 100_000, 1_000
MOST = 10**11  # of an amount, in minor units: a hundred thousand of them are far from what an account can hold
WHOLE, DAY = re.compile(r"-?[0-9]{1,12}"), re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
LONGEST_TITLE, LONGEST_REFERENCE = 200, 100
EARLIEST = date(2000, 1, 1)
KINDS = frozenset(OutsideIncome.Kind.values)
OF_KINDS = f"the kind is one of {', '.join(OutsideIncome.Kind.values)}"
NO_LETTERS = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")  # they control, or end a line, or mean nothing
NOT_UTF_8 = re.compile("[\udc80-\udcff]")  # what decoding with `surrogateescape` makes of bytes that are none


class BadStatement(Invalid):
    code = "bad_statement"


@dataclass(frozen=True)
class Row:
    """What one line of a statement tells: amounts in minor units, the fee as it was kept of the gross."""

    line: int
    day: date
    kind: str
    title: str
    reference: str
    gross: int
    fee: int
    currency: str


@dataclass(frozen=True)
class Told:
    """All rows of a statement, read to the end: how many, their hash, their days, and where they lie."""

    count: int
    digest: str
    since: date
    until: date
    file: IO[str]

    def batches(self) -> Iterator[list[Row]]:
        """Yield the rows, some at a time."""
        self.file.seek(0)
        rows = map(_read, self.file)
        while some := list(islice(rows, SOME)):
            yield some


def rows_of(lines: Iterable[str]) -> Iterator[Row]:
    """Yield the rows of a CSV with the columns day, kind, title, reference, gross, fee and currency.

    Amounts are whole minor units; a fee that is not told is nothing. Raises BadStatement with the first bad line, also
    where bytes were no UTF-8, which lines decoded with `surrogateescape` tell.
    """
    rows = csv.reader(lines, strict=True)
    try:
        if next(rows, []) != COLUMNS:
            raise BadStatement(f"The first line must be {','.join(COLUMNS)}.")
        yield from (_row(rows.line_num, cells) for cells in rows if cells)
    except csv.Error as error:
        raise bad_line(rows.line_num, "it cannot be read") from error


@contextmanager
def told(rows: Iterable[Row], *, today: date) -> Iterator[Told]:
    """Read a statement to its end before anything is written. Raises BadStatement, with the first bad line."""
    with TemporaryFile("w+", encoding="utf-8") as file:
        digest, count, since, until = hashlib.sha256(), 0, date.max, date.min
        for row in rows:
            if wrong := _wrong(row, today):
                raise bad_line(row.line, wrong)
            count += 1
            if count > MOST_ROWS:
                raise BadStatement(f"A statement has at most {MOST_ROWS} rows.")
            line, *content = vars(row).values()
            file.write(_written([line, *content]))
            digest.update(_written(content).encode())
            since, until = min(since, row.day), max(until, row.day)
        if not count:
            raise BadStatement("There is no row in it.")
        yield Told(count, digest.hexdigest(), since, until, file)


def bad_line(number: int, why: str) -> BadStatement:
    """Return the refusal of a statement for this line of it."""
    return BadStatement(f"Line {number}: {why}.")


def _row(line: int, cells: Sequence[str]) -> Row:
    if len(cells) != len(COLUMNS):
        raise bad_line(line, f"it has not {len(COLUMNS)} columns")
    if any(NOT_UTF_8.search(cell) for cell in cells):
        raise bad_line(line, "it is not in UTF-8")
    day, kind, title, reference, gross, fee, currency = (cell.strip() for cell in cells)
    if not DAY.fullmatch(day):
        raise bad_line(line, f"{day[:20]} is no day such as 2026-05-01")
    if not WHOLE.fullmatch(gross) or not (fee == "" or WHOLE.fullmatch(fee)):
        raise bad_line(line, "amounts are whole minor units, 12.34 is written 1234")
    try:
        return Row(line, date.fromisoformat(day), kind, title, reference, int(gross), int(fee or 0), currency)
    except ValueError as error:
        raise bad_line(line, f"there is no day {day}") from error


def _wrong(row: Row, today: date) -> str:
    """Return what is wrong with a row; nothing when it can be booked."""
    names = _is_named(row.reference, LONGEST_REFERENCE) and row.reference.strip()
    asked = (
        (EARLIEST <= row.day <= today, f"{row.day} is not a day that was"),
        (row.kind in KINDS, OF_KINDS),
        (row.currency in EXPONENTS, f"there is no currency {row.currency[:20]}"),
        (max(abs(row.gross), abs(row.fee)) < MOST, "that is too much"),
        (row.kind != OutsideIncome.Kind.REFUND or row.gross <= 0, "what is given back is below zero"),
        (row.gross <= 0 or row.fee >= 0, "what is kept of it is not below zero"),
        (names, f"a reference is one line of at most {LONGEST_REFERENCE} letters"),
        (_is_named(row.title, LONGEST_TITLE), f"a title is one line of at most {LONGEST_TITLE} letters"),
    )
    return next((wrong for is_right, wrong in asked if not is_right), "")


def _is_named(words: str, longest: int) -> bool:
    return len(words) <= longest and not NO_LETTERS.search(words)


def _written(content: Sequence[object]) -> str:
    return json.dumps(content, default=str) + "\n"


def _read(line: str) -> Row:
    number, day, *more = json.loads(line)
    return Row(number, date.fromisoformat(day), *more)
