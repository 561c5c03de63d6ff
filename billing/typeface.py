"""The letters of papers and marks: Noto Sans SC (OFL). Every file embeds what it uses of them, so it reads anywhere."""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Final

from reportlab.lib.colors import Color, black
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

NAME, FILE = "NotoSansSC", "fonts/ofl/notosanssc/NotoSansSC[wght].ttf"
# The file begins with its thinnest letters; their edges are drawn too, so many parts of their size wide.
FILLED_AND_DRAWN: Final = 2
EDGE = 0.03
Placed = tuple[float, float, str]  # x and y in points from the lower left corner, and the words


@cache
def face() -> str:
    """Read the letters, once a process, and return their name."""
    pdfmetrics.registerFont(TTFont(NAME, str(files("justmytype_intl_cjk") / FILE)))
    return NAME


def write(sheet: Canvas, placed: Iterable[Placed], *, size: float, colour: Color = black) -> None:
    """Write words at their places."""
    sheet.setLineWidth(size * EDGE)
    sheet.setFillColor(colour)
    sheet.setStrokeColor(colour)
    text = sheet.beginText()
    text.setFont(face(), size)
    text.setTextRenderMode(FILLED_AND_DRAWN)
    for x, y, words in placed:
        text.setTextOrigin(x, y)
        text.textOut(plain(words))
    sheet.drawText(text)


def width_of(words: str, *, size: float) -> float:
    """Return how wide words are, in points."""
    return float(pdfmetrics.stringWidth(plain(words), face(), size))


def folded(words: str, *, size: float, width: float) -> list[str]:
    """Break words into lines that are no wider; between any two letters, as Chinese is."""
    lines, taken = [""], 0.0
    for letter in plain(words):
        wide = width_of(letter, size=size)
        if lines[-1] and taken + wide > width:
            lines.append("")
            taken = 0.0
        lines[-1] += letter
        taken += wide
    return lines


def plain(words: str) -> str:
    """Return words on one line, without what is not printed."""
    return "".join(letter if letter.isprintable() else " " for letter in words)
