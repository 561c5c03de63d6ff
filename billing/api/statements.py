"""A statement as a file: CSV and PDF say what the API says, number by number."""

import csv
import io
import zlib
from collections.abc import Iterator

from billing import queries
from billing.models import Settlement

SUMMARY = ("opening", "movements", "closing", "pending", "available", "reserve", "in_transit", "debt")
COLUMNS = ("part", "kind", "count", "amount", "at", "seq", "key", "account")
Cells = tuple[str, ...]


def rows_of(settlement: Settlement) -> Iterator[Cells]:
    """Yield a statement's rows: what it is of, its sums, its kinds, and every movement."""
    period = settlement.period
    yield COLUMNS
    yield ("statement", f"{period}", "", settlement.currency, f"{period.issued_at:%Y-%m-%dT%H:%M:%SZ}", "", "", "")
    yield ("chain", "", "", "", "", str(period.head_seq), bytes(period.head_link).hex(), "")
    for name in SUMMARY:
        yield ("sum", name, "", str(getattr(settlement, name)), "", "", "", "")
    for line in settlement.lines.order_by("kind"):
        yield ("kind", line.kind, str(line.count), str(line.amount), "", "", "", "")
    for entry in queries.entries_of(settlement):
        when = f"{entry.at:%Y-%m-%dT%H:%M:%S.%fZ}"
        yield ("entry", entry.kind, "", str(entry.amount), when, str(entry.seq), entry.key, entry.account)


def csv_of(settlement: Settlement) -> Iterator[bytes]:
    """Yield the statement as CSV, some hundred rows at a time."""
    out = io.StringIO()
    writer = csv.writer(out)
    for number, cells in enumerate(rows_of(settlement), start=1):
        writer.writerow(cells)
        if number % 500 == 0:
            yield _taken(out)
    yield _taken(out)


def _taken(out: io.StringIO) -> bytes:
    text = out.getvalue().encode()
    out.seek(0)
    out.truncate()
    return text


# ── PDF ──────────────────────────────────────────────────────────────────────────────────────────────
# As much of the format as a table needs (ISO 32000-1, 7 and 9.7): text in STSong-Light, a font for Chinese that readers
# bring along, so that no file of a font is needed.
TITLE, PER_PAGE, TOP, STEP = "结算单 Statement", 60, 800, 12.5
PLACES = (30, 85, 200, 235, 300, 420, 455, 545)
FONT = (
    b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [4 0 R] >>",
    (
        b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /FontDescriptor 5 0 R /DW 1000 /W [1 95 500]"
        b" /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> >>"
    ),
    (
        b"<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] /ItalicAngle 0"
        b" /Ascent 752 /Descent -271 /CapHeight 737 /StemV 58 >>"
    ),
)


def pdf_of(settlement: Settlement) -> Iterator[bytes]:
    """Yield the statement as PDF, page by page. Only where its objects begin is remembered."""
    name = f"{TITLE}  {settlement.creator.name}  {settlement.period}  {settlement.currency}"
    writer = Pages()
    yield writer.begun()
    page: list[Cells] = []
    for cells in rows_of(settlement):
        page.append(cells)
        if len(page) == PER_PAGE:
            yield writer.page(name, page)
            page = []
    if page:
        yield writer.page(name, page)
    yield writer.ended()


class Pages:
    """Writes pages of cells, one behind the other."""

    def __init__(self) -> None:
        self.size, self.begins, self.kids = 0, {}, []  # type: ignore[var-annotated]

    def begun(self) -> bytes:
        head = self._counted(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
        fonts = zip((3, 4, 5), FONT, strict=True)
        return (
            head
            + self._object(1, b"<< /Type /Catalog /Pages 2 0 R >>")
            + b"".join(self._object(number, said) for number, said in fonts)
        )

    def page(self, title: str, rows: list[Cells]) -> bytes:
        """Return a page under its title."""
        shown = [_text(30, 820, 10, title)]
        for number, cells in enumerate(rows):
            shown += [_text(x, TOP - number * STEP, 6, cell) for x, cell in zip(PLACES, cells, strict=True) if cell]
        stream = zlib.compress(b"BT\n" + b"".join(shown) + b"ET\n")
        text, page = 6 + 2 * len(self.kids), 7 + 2 * len(self.kids)
        self.kids.append(page)
        told = b"<< /Length %d /Filter /FlateDecode >>\nstream\n" % len(stream) + stream + b"\nendstream"
        form = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 842 842] /Contents %d 0 R"
        return self._object(text, told) + self._object(
            page, form % text + b" /Resources << /Font << /F1 3 0 R >> >> >>"
        )

    def ended(self) -> bytes:
        """Return the tree of pages, the table of where everything begins, and the end."""
        kids = b" ".join(b"%d 0 R" % kid for kid in self.kids)
        tree = self._object(2, b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(self.kids), kids))
        table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(self.begins) + 1)
        table += b"".join(b"%010d 00000 n \n" % self.begins[number] for number in sorted(self.begins))
        trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        return tree + table + trailer % (len(self.begins) + 1, self.size)

    def _object(self, number: int, said: bytes) -> bytes:
        self.begins[number] = self.size
        return self._counted(b"%d 0 obj\n" % number + said + b"\nendobj\n")

    def _counted(self, text: bytes) -> bytes:
        self.size += len(text)
        return text


def _text(x: float, y: float, size: int, words: str) -> bytes:
    """Return the words at their place: UCS-2, as the font's map of characters reads them."""
    plain = "".join(letter if ord(letter) < 0x10000 else "□" for letter in words)
    return b"/F1 %d Tf 1 0 0 1 %g %g Tm <%s> Tj\n" % (size, x, y, plain.encode("utf-16-be").hex().encode())
