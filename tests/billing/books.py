"""Files of e-books."""

import io

from reportlab.pdfgen.canvas import Canvas


def pdf(*pages: str, size: tuple[float, float] = (300, 400), turned: int = 0) -> bytes:
    """Return a PDF with these words on its pages; turned on its side, a page is as wide as it was high."""
    out = io.BytesIO()
    sheet = Canvas(out, pagesize=size, invariant=1)
    for words in pages or ("Do re mi",):
        sheet.setPageRotation(turned)
        sheet.drawString(50, 200, words)
        sheet.showPage()
    sheet.save()
    return out.getvalue()
