"""The mark on each page of a PDF: there, at the foot as it is read, and nothing else is changed."""

import io
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from pypdf import PageObject, PdfReader, PdfWriter
from pypdf.generic import NameObject
from pytest_django import Settings

from billing import operations
from billing.models import EbookCopy, Product
from billing.operations import Wanted, page_marks
from billing.operations.marking import format_of, marked
from kpplatform.errors import Refused
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing import books, shop
from tests.catalog import things
from tests.conftest import NOON

ITS_OWN_KID = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Count 1/Kids[2 0 R]>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)
MARK = "Member 3 (王小明), order 5, copy 7"


def read(pdf: bytes) -> list[PageObject]:
    return list(PdfReader(io.BytesIO(pdf), strict=True).pages)


def test_each_page_says_whose_it_is_and_what_it_said_before() -> None:
    pages = read(marked(books.pdf("Do", "Re", "Mi"), "pdf", MARK))

    assert [page.extract_text().splitlines() for page in pages] == [["Do", MARK], ["Re", MARK], ["Mi", MARK]]


def places_of(page: PageObject) -> list[tuple[float, float, float, float]]:
    """Return where on the page the mark begins, and to where its line runs."""
    found: list[tuple[float, float, float, float]] = []

    def visit(text: str, user: list[float], of: list[float], _font: object, _size: float) -> None:
        if "Member" in text:
            a, b, c, d, e, f = user
            x, y = of[4], of[5]
            found.append((a * x + c * y + e, b * x + d * y + f, a, b))

    page.extract_text(visitor_text=visit)
    return found


@pytest.mark.parametrize(
    ("turned", "expected"),
    [(0, (24, 10, 1, 0)), (90, (390, 24, 0, 1)), (180, (276, 390, -1, 0)), (270, (10, 276, 0, -1))],
)
def test_it_is_at_the_foot_however_the_page_is_turned(turned: int, expected: tuple[float, ...]) -> None:
    (page,) = read(marked(books.pdf(turned=turned), "pdf", MARK))

    (place,) = places_of(page)

    assert [round(value, 3) for value in place] == list(expected)


def test_pages_that_share_their_resources_and_inherit_their_size_keep_them() -> None:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(books.pdf("Do", "Re"))))
    first, second = writer.pages
    second[NameObject("/Resources")] = writer._add_object(first["/Resources"])
    first[NameObject("/Resources")] = second.raw_get("/Resources")
    out = io.BytesIO()
    writer.write(out)

    pages = read(marked(out.getvalue(), "pdf", MARK))

    assert [page.extract_text().splitlines() for page in pages] == [["Do", MARK], ["Re", MARK]]


def test_a_mark_is_drawn_once_for_all_pages_of_a_form() -> None:
    one, many = (marked(books.pdf(*["Do"] * pages), "pdf", MARK) for pages in (1, 50))
    plain = len(books.pdf(*["Do"] * 50)) - len(books.pdf("Do"))

    assert len(many) - len(one) < plain + 50 * 400


def locked() -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(books.pdf())))
    writer.encrypt("secret", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize(
    "pdf",
    [
        b"%PDF-1.4\n%%EOF\n",
        b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n",
        books.pdf().replace(b"/Kids", b"/Kidz"),
        ITS_OWN_KID,
        locked(),
    ],
    ids=["empty", "no pages", "no kids", "its own kid", "locked"],
)
def test_what_cannot_be_marked_is_no_book(pdf: bytes) -> None:
    assert format_of(pdf) is None


def test_so_many_pages_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_marks, "MOST_PAGES", 2)

    assert [format_of(books.pdf(*["Do"] * pages)) for pages in (2, 3)] == ["pdf", None]


@pytest.mark.usefixtures("in_school")
@pytest.mark.parametrize("what", ["gone", "another"])
def test_a_file_that_is_not_there_is_told_so_and_not_counted(tmp_path: Path, settings: Settings, what: str) -> None:
    settings.STORAGE_DIR = tmp_path
    creator = things.creator(make.member(Member.Role.CREATOR))
    book = shop.offered(creator, minor=500, kind=Product.Kind.EBOOK)
    operations.upload_ebook(product=book, by=creator.member, content=books.pdf(), at=NOON)
    shop.bought_all(make.member(), Wanted(product=book))
    copy = EbookCopy.objects.select_related("viewer", "line").get()
    token = operations.link_to(copy=copy, by=copy.viewer, at=NOON)
    (file,) = [path for path in Path(django_settings.STORAGE_DIR).rglob("*") if path.is_file()]
    file.unlink() if what == "gone" else file.write_bytes(books.pdf("Another"))

    with pytest.raises(Refused) as no:
        operations.download(token=token, at=NOON)

    assert (no.value.code, no.value.status) == ("file_unreadable", 404)
    copy.refresh_from_db()
    assert copy.downloads == 0
    operations.upload_ebook(product=book, by=creator.member, content=books.pdf(), at=NOON)
    assert operations.download(token=token, at=NOON)
