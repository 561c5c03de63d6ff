"""A statement as a file: CSV and PDF say what the API says, number by number."""

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import islice

from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfgen.canvas import Canvas

from billing import queries, typeface
from billing.models import Settlement
from kpplatform.errors import Conflict

SUMMARY = ("opening", "movements", "closing", "pending", "available", "reserve", "in_transit", "debt")
COLUMNS = ("part", "kind", "count", "amount", "at", "seq", "account", "key")
# Of a page: where its columns begin (the last is the longest), how many rows it has, and how far apart.
PLACES, LEFT, RIGHT = (30, 78, 190, 220, 285, 395, 440, 490), 30, 800
PER_PAGE, TOP, STEP, SIZE = 38, 525, 13, 6.5
Cells = tuple[str, ...]
MOST_PRINTED = 20_000  # movements: two seconds of a core


class TooLongToPrint(Conflict):
    code = "too_long_to_print"


def rows_of(settlement: Settlement) -> Iterator[Cells]:
    """Yield a statement's rows: what it is of, its sums, its kinds, and every movement."""
    period = settlement.period
    yield COLUMNS
    yield ("statement", f"{period}", "", settlement.currency, f"{period.issued_at:%Y-%m-%dT%H:%M:%SZ}", "", "", "")
    yield ("chain", "", "", "", "", str(period.head_seq), "", bytes(period.head_link).hex())
    for name in SUMMARY:
        yield ("sum", name, "", str(getattr(settlement, name)), "", "", "", "")
    for line in settlement.lines.order_by("kind"):
        yield ("kind", line.kind, str(line.count), str(line.amount), "", "", "", "")
    for entry in queries.entries_of(settlement):
        when = f"{entry.at:%Y-%m-%dT%H:%M:%S.%fZ}"
        yield ("entry", entry.kind, "", str(entry.amount), when, str(entry.seq), entry.account, entry.key)


def csv_of(settlement: Settlement) -> Iterator[bytes]:
    """Yield the statement as CSV, some hundred rows at a time."""
    return written(rows_of(settlement))


def written(rows: Iterator[Cells]) -> Iterator[bytes]:
    """Yield rows as CSV, some hundred at a time."""
    out = io.StringIO()
    writer = csv.writer(out)
    for number, cells in enumerate(rows, start=1):
        writer.writerow(cells)
        if number % 500 == 0:
            yield _taken(out)
    yield _taken(out)


def _taken(out: io.StringIO) -> bytes:
    text = out.getvalue().encode()
    out.seek(0)
    out.truncate()
    return text


def pdf_of(settlement: Settlement) -> bytes:
    """Return the statement as PDF: the same rows under the same columns, the same bytes each time.

    Raises TooLongToPrint for one that nobody turns the pages of: it would be made as a whole, in a web process.
    """
    if sum(line.count for line in settlement.lines.all()) > MOST_PRINTED:
        raise TooLongToPrint(f"A statement of more than {MOST_PRINTED} movements is to be had as CSV.")
    title = f"结算单 Statement  {settlement.creator.name}  {settlement.period}  {settlement.currency}"
    return drawn(title, rows_of(settlement))


def drawn(title: str, rows: Iterator[Cells]) -> bytes:
    """Return rows under their columns, which are the first of them, as pages with a title."""
    out = io.BytesIO()
    sheet = Canvas(out, pagesize=landscape(A4), invariant=1, pageCompression=1)
    sheet.setTitle(typeface.plain(title))
    columns = next(rows)
    for number, page in enumerate(batched(rows, PER_PAGE), start=1):
        typeface.write(sheet, [(LEFT, TOP + 22, title)], size=10)
        typeface.write(sheet, [(RIGHT, 20, str(number))], size=SIZE)
        typeface.write(sheet, [(x, TOP, name) for x, name in zip(PLACES, columns, strict=True)], size=SIZE)
        typeface.write(sheet, list(_placed(page)), size=SIZE)
        sheet.showPage()
    sheet.save()
    return out.getvalue()


def _placed(page: Sequence[Cells]) -> Iterator[typeface.Placed]:
    for number, cells in enumerate(page, start=1):
        for x, cell in zip(PLACES, cells, strict=True):
            if cell:
                yield x, TOP - number * STEP, cell


def batched(rows: Iterator[Cells], size: int) -> Iterator[list[Cells]]:
    """Yield so many rows at a time."""
    while page := list(islice(rows, size)):
        yield page
