"""Invoices and credit notes as PDF, in Chinese and English."""

import io
from collections.abc import Iterator

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from billing import queries, typeface
from billing.models import Invoice
from billing.money import Money

TITLES = {Invoice.Kind.INVOICE: "账单 Invoice", Invoice.Kind.CREDIT_NOTE: "贷记单 Credit note"}
LEFT, AMOUNT, TAX, TOP, BOTTOM, STEP, SIZE = 50, 450, 545, 780, 60, 16, 9
Row = tuple[str, str, str]  # title, amount, tax


def pdf_of(invoice: Invoice) -> bytes:
    """Return the document as PDF, the same bytes each time."""
    out = io.BytesIO()
    sheet = Canvas(out, pagesize=A4, invariant=1, pageCompression=1)
    sheet.setTitle(str(invoice))
    y = _headed(sheet, invoice)
    for row in _rows(invoice):
        if y < BOTTOM:
            sheet.showPage()
            y = TOP
        _write_row(sheet, row, y)
        y -= STEP
    sheet.save()
    return out.getvalue()


def _headed(sheet: Canvas, invoice: Invoice) -> float:
    """Write what it is and between whom, and return where the rows begin."""
    typeface.write(sheet, [(LEFT, TOP, f"{TITLES[Invoice.Kind(invoice.kind)]} {invoice}")], size=16)
    about = [
        f"日期 Date: {queries.tenants_time(invoice.issued_at):%Y-%m-%d}",
        f"销售方 Seller: {_party(invoice.seller)}",
        f"购买方 Buyer: {_party(invoice.buyer)}",
    ]
    lines = [line for words in about for line in typeface.folded(words, size=SIZE, width=TAX - LEFT)]
    placed = [(LEFT, TOP - 30 - number * STEP, line) for number, line in enumerate(lines)]
    typeface.write(sheet, placed, size=SIZE)
    return TOP - 30 - (len(lines) + 1) * STEP


def _party(told: dict[str, str]) -> str:
    number = f"税号 Tax id {told['tax_id']}" if told.get("tax_id") else ""
    return "  ".join(word for word in (told["name"], told.get("place", ""), number) if word)


def _rows(invoice: Invoice) -> Iterator[Row]:
    """Yield the table: its head, its lines, of which a long title takes several rows, and the sums."""
    yield "项目 Title", "金额 Amount", "其中税额 Tax"
    for line in invoice.lines:
        about = f"  ({line['invoice']})" if "invoice" in line else ""
        title, *more = typeface.folded(line["title"] + about, size=SIZE, width=AMOUNT - LEFT - 80)
        yield title, str(Money(line["amount"], invoice.currency)), str(Money(line["tax"], invoice.currency))
        yield from ((words, "", "") for words in more)
    yield "合计 Sum", str(invoice.money), str(Money(invoice.tax, invoice.currency))


def _write_row(sheet: Canvas, row: Row, y: float) -> None:
    title, *sums = row
    right = [(x - typeface.width_of(words, size=SIZE), y, words) for x, words in zip((AMOUNT, TAX), sums, strict=True)]
    typeface.write(sheet, [(LEFT, y, title), *right], size=SIZE)
