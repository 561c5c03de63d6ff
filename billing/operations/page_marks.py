"""A PDF's mark: one line at the foot of each page, drawn once and shown on all; what the pages say stays as it is."""

import io
import zlib

from pypdf import PageObject, PdfReader, PdfWriter
from pypdf.errors import PyPdfError
from pypdf.generic import ArrayObject, DecodedStreamObject, DictionaryObject, FloatObject, IndirectObject, NameObject
from reportlab.lib.colors import Color
from reportlab.pdfgen.canvas import Canvas

from billing import typeface

MOST_PAGES = 3_000
SIZE, GREY, RIGHT, UP = 7, Color(0.45, 0.45, 0.45), 24, 10
MARK = NameObject("/KpMark")
# What reading a PDF raises that is broken or locked: the library tells not all of it as its own error.
BROKEN = (PyPdfError, LookupError, ValueError, TypeError, AttributeError, RecursionError, OSError, zlib.error)
Box = tuple[float, float, float, float, int]  # left, bottom, right, top; how far the reader turns the page


def with_marked_pages(content: bytes, mark: str) -> bytes:
    """Return the PDF with the mark on each page. Raises one of BROKEN for what cannot be marked."""
    reader = PdfReader(io.BytesIO(content))
    if reader.is_encrypted or not 0 < len(reader.pages) <= MOST_PAGES:
        raise ValueError(f"A PDF is open, and has 1 to {MOST_PAGES} pages.")
    writer = PdfWriter(clone_from=reader)
    before, after = _stream(writer, b"q\n"), _stream(writer, b"\nQ\nq /KpMark Do Q\n")
    drawn: dict[Box, IndirectObject] = {}
    for page in writer.pages:
        box = _box_of(page)
        if box not in drawn:
            drawn[box] = _drawn(writer, box, mark)
        _show(page, drawn[box], before, after)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _box_of(page: PageObject) -> Box:
    left, bottom, right, top = (float(side) for side in page.cropbox)
    return left, bottom, right, top, page.rotation % 360


def _drawn(writer: PdfWriter, box: Box, mark: str) -> IndirectObject:
    """Draw the mark for pages of this form: at the foot as the reader sees it."""
    left, bottom, right, top, turned = box
    out = io.BytesIO()
    sheet = Canvas(out, invariant=1)
    sheet.translate(right if turned in {90, 180} else left, top if turned in {180, 270} else bottom)
    sheet.rotate(turned)
    typeface.write(sheet, [(RIGHT, UP, mark)], size=SIZE, colour=GREY)
    sheet.save()
    page = PdfReader(out).pages[0]
    form = DecodedStreamObject()
    contents = page.get_contents()
    form.set_data(b"" if contents is None else contents.get_data())
    form[NameObject("/Type")], form[NameObject("/Subtype")] = NameObject("/XObject"), NameObject("/Form")
    form[NameObject("/BBox")] = ArrayObject(FloatObject(side) for side in (left, bottom, right, top))
    form[NameObject("/Resources")] = page["/Resources"].clone(writer)
    return writer._add_object(form)  # noqa: SLF001  pypdf has no other way to add what is no page


def _stream(writer: PdfWriter, said: bytes) -> IndirectObject:
    stream = DecodedStreamObject()
    stream.set_data(said)
    return writer._add_object(stream)  # noqa: SLF001  as above


def _show(page: PageObject, mark: IndirectObject, before: IndirectObject, after: IndirectObject) -> None:
    """Have the page show the mark after all else. Its resources may be other pages' too, so it gets its own."""
    raw = page.raw_get("/Contents") if "/Contents" in page else ArrayObject()
    there = raw.get_object()
    parts = list(there) if isinstance(there, ArrayObject) else [raw]
    page[NameObject("/Contents")] = ArrayObject([before, *parts, after])
    resources = DictionaryObject(_dictionary(page, "/Resources"))
    shown = DictionaryObject(_dictionary(resources, "/XObject"))
    shown[MARK] = mark
    resources[NameObject("/XObject")] = shown
    page[NameObject("/Resources")] = resources


def _dictionary(of: DictionaryObject, name: str) -> DictionaryObject:
    there = of[name] if name in of else DictionaryObject()
    return there if isinstance(there, DictionaryObject) else DictionaryObject()
