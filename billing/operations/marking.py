"""Marks in e-books: which format a file has by what is in it, and a copy that says whose it is."""

import io
import lzma
import re
import zipfile
import zlib
from xml.sax.saxutils import escape

from billing.operations import page_marks
from billing.typeface import plain

EPUB = b"application/epub+zip"
MOST_UNPACKED = 200 * 1024 * 1024
CONTAINER = "META-INF/container.xml"
# What a zip raises that was cut, bent, locked, or packed by another rule than it says.
BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, KeyError, ValueError, OSError, RuntimeError, EOFError)


def format_of(content: bytes) -> str | None:
    """Return pdf or epub, by what the file says inside; None for anything else, and for what cannot be marked."""
    if content.startswith(b"%PDF-") and b"%%EOF" in content[-1_024:]:
        return "pdf" if _can_be_marked(content) else None
    if not content.startswith(b"PK\x03\x04"):
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            is_small = sum(entry.file_size for entry in book.infolist()) <= MOST_UNPACKED
            is_epub = is_small and book.read("mimetype").strip() == EPUB and book.testzip() is None
            return "epub" if is_epub and b"</metadata>" in book.read(package_of(book)) else None
    except BROKEN:
        return None


def package_of(book: zipfile.ZipFile) -> str:
    """Return where the book's package document lies. Raises ValueError without one."""
    found = re.search(rb'full-path="([^"]+)"', book.read(CONTAINER))
    if found is None:
        raise ValueError("The container names no package document.")
    return found.group(1).decode()


def marked(content: bytes, kind: str, mark: str) -> bytes:
    """Return the file with the mark: an EPUB in its metadata, a PDF on each page and behind its end."""
    if kind == "epub":
        return _marked_epub(content, mark)
    return page_marks.with_marked_pages(content, mark) + f"\n% {plain(mark)}\n".encode()


def _can_be_marked(pdf: bytes) -> bool:
    try:
        page_marks.with_marked_pages(pdf, "")
    except page_marks.BROKEN:
        return False
    return True


def _marked_epub(content: bytes, mark: str) -> bytes:
    told, written = f"<dc:rights>{escape(plain(mark))}</dc:rights>".encode(), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as book, zipfile.ZipFile(written, "w") as copy:
        package = package_of(book)
        for entry in book.infolist():
            inside = book.read(entry)
            if entry.filename == package:
                inside = _with_rights(inside, told)
            copy.writestr(entry, inside)
    return written.getvalue()


def _with_rights(package: bytes, told: bytes) -> bytes:
    space = b' xmlns:dc="http://purl.org/dc/elements/1.1/"'
    told = told.replace(b"<dc:rights>", b"<dc:rights" + space + b">", 1)
    return package.replace(b"</metadata>", told + b"</metadata>", 1)
