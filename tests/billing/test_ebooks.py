"""E-books: what may be uploaded, who downloads, how often and how long, whose mark it has, and the way back."""

import io
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from pytest_django import Settings
from rest_framework.test import APIClient

from billing import operations
from billing.models import EbookCopy, Order, OrderLine, Product
from billing.operations import Wanted
from billing.operations.marking import format_of, marked
from creators.models import Creator
from kpplatform.errors import Refused
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import books, shop
from tests.billing.shop import yuan
from tests.catalog import things
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("in_school")
PDF = books.pdf()


def epub(**files: bytes) -> bytes:
    written = io.BytesIO()
    inside = {
        "mimetype": b"application/epub+zip",
        "META-INF/container.xml": b'<container><rootfile full-path="book.opf"/></container>',
        "book.opf": b"<package><metadata><title>Scales</title></metadata></package>",
        "one.xhtml": b"<html>Do re mi</html>",
    }
    with zipfile.ZipFile(written, "w") as book:
        for name, content in (inside | files).items():
            book.writestr(name, content)
    return written.getvalue()


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, settings: Settings) -> None:
    settings.STORAGE_DIR = tmp_path


@pytest.fixture
def creator() -> Creator:
    return things.creator(make.member(Member.Role.CREATOR))


@pytest.fixture
def book(creator: Creator) -> Product:
    """An e-book for five yuan, as an EPUB."""
    product = shop.offered(creator, minor=500, kind=Product.Kind.EBOOK)
    operations.upload_ebook(product=product, by=creator.member, content=epub(), at=NOON)
    return product


def bought(book: Product, viewer: Member | None = None) -> EbookCopy:
    shop.bought_all(viewer or make.member(), Wanted(product=book))
    return EbookCopy.objects.select_related("viewer", "line").latest("pk")


def link(copy: EbookCopy, **later: int) -> str:
    return operations.link_to(copy=copy, by=copy.viewer, at=NOON + timedelta(**later))


def refused(token: str, **later: int) -> str:
    with pytest.raises(Refused) as no:
        operations.download(token=token, at=NOON + timedelta(**later))
    return no.value.code


def test_a_book_is_offered_uploaded_bought_and_downloaded_over_http(creator: Creator, viewer: Member) -> None:
    seller, buyer = make.client(creator.member), make.client(viewer)
    made = seller.post("/api/v1/products/", {"kind": "ebook", "title": "Scales", "amount": 500}).json()
    put = seller.put(f"/api/v1/ebook-files/{made['id']}/", epub(), content_type="application/octet-stream")
    assert (put.status_code, put.json()["format"]) == (200, "epub")
    shop.bought_all(viewer, Wanted(product=Product.objects.get()))
    (copy,) = buyer.get("/api/v1/ebooks/").json()["results"]

    url = buyer.post(f"/api/v1/ebooks/{copy['id']}/link/").json()["url"]
    got = APIClient(headers={"host": "school.localhost"}).get(url)

    assert (got.status_code, got["Content-Type"]) == (200, "application/epub+zip")
    with zipfile.ZipFile(io.BytesIO(got.content)) as read:
        assert read.namelist()[0] == "mimetype"
        assert read.read("one.xhtml") == b"<html>Do re mi</html>"
        assert f"Member {viewer.pk} ({viewer}), order {Order.objects.get().pk}, copy {copy['id']}<".encode() in (
            read.read("book.opf")
        )
    (after,) = buyer.get("/api/v1/ebooks/").json()["results"]
    assert (after["downloads"], after["left"]) == (1, 9)
    assert make.client(make.member()).post(f"/api/v1/ebooks/{copy['id']}/link/").status_code == 404


def test_each_buyer_has_a_mark_of_their_own_in_a_pdf_too(creator: Creator, book: Product) -> None:
    operations.upload_ebook(product=book, by=creator.member, content=PDF, at=NOON)

    files = [operations.download(token=link(bought(book)), at=NOON)[1] for _ in range(2)]

    assert files[0] != files[1]
    assert all(b"order " in of[of.rindex(b"%%EOF") :] for of in files)
    assert [format_of(of) for of in files] == ["pdf", "pdf"]


def test_a_mark_breaks_no_book(book: Product) -> None:
    mark = "Member 1 (</metadata> & \n%%EOF 王), order 1"

    with zipfile.ZipFile(io.BytesIO(marked(epub(), "epub", mark))) as read:
        assert read.read("book.opf").count(b"</metadata>") == 1
        assert "王".encode() in read.read("book.opf")
    behind = marked(PDF, "pdf", mark).removesuffix(b"\n").rpartition(b"\n")[2]
    assert behind == b"% Member 1 (</metadata> &  %%EOF " + "王), order 1".encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"MZ not a book",
        b"%PDF-1.4 without an end",
        b"PK\x03\x04 cut off",
        epub(mimetype=b"application/zip"),
        epub(**{"META-INF/container.xml": b"<container/>"}),
        epub(**{"book.opf": b"<package/>"}),
        PDF + b" " * (20 * 1024 * 1024),
    ],
    ids=["nothing", "a program", "half a pdf", "half a zip", "a zip", "no package", "no metadata", "too large"],
)
def test_what_is_no_book_is_not_taken(creator: Creator, book: Product, content: bytes) -> None:
    with pytest.raises(operations.BadFile):
        operations.upload_ebook(product=book, by=creator.member, content=content, at=NOON)


def test_only_its_creator_uploads_and_only_behind_an_ebook(creator: Creator, book: Product) -> None:
    pack = shop.offered(creator, things.course(creator), minor=500)

    with pytest.raises(Refused, match="creator"):
        operations.upload_ebook(product=book, by=make.member(), content=PDF, at=NOON)
    with pytest.raises(operations.NoEbook):
        operations.upload_ebook(product=pack, by=creator.member, content=PDF, at=NOON)


def test_a_book_without_a_file_is_not_sold_and_nobody_buys_it_twice(creator: Creator, book: Product) -> None:
    empty, copy = shop.offered(creator, minor=500, kind=Product.Kind.EBOOK), bought(book)

    for viewer, product, code in ((make.member(), empty, "not_for_sale"), (copy.viewer, book, "already_yours")):
        with pytest.raises(Refused) as no:
            operations.order_all(viewer=viewer, wanted=[Wanted(product=product)], key="again", at=NOON)
        assert no.value.code == code


def test_a_link_expires(book: Product) -> None:
    token = link(bought(book))

    assert operations.download(token=token, at=NOON + timedelta(minutes=14))
    assert refused(token, minutes=15) == "link_expired"


def test_a_forged_link_is_none(book: Product) -> None:
    token = link(bought(book))

    assert refused(token[:-1] + ("A" if token[-1] != "A" else "B")) == "no_such_link"
    assert refused("x") == "no_such_link"


def test_a_copy_is_downloaded_so_often_and_no_more(book: Product) -> None:
    copy = bought(book)
    token = link(copy)
    for _ in range(10):
        operations.download(token=token, at=NOON)

    assert refused(token) == "downloaded_too_often"
    copy.refresh_from_db()
    assert copy.downloads == 10


def test_what_is_given_back_is_not_downloaded_until_the_refund_fails(book: Product) -> None:
    copy = bought(book)
    token, line = link(copy), OrderLine.objects.select_related("order__viewer").get()
    given = operations.refund(line=line, by=copy.viewer, amount=None, key="refund", at=NOON)

    assert refused(token) == "copy_revoked"
    operations.fail_refund(refund=given, reason="no", at=NOON)
    assert operations.download(token=link(EbookCopy.objects.get(revoked_at=None)), at=NOON)
    assert shop.books_are_good()


def test_another_tenant_reaches_neither_link_nor_file(book: Product, agency: Tenant) -> None:
    token = link(bought(book))
    (file,) = [path for path in Path(django_settings.STORAGE_DIR).rglob("*") if path.is_file()]
    assert file.parent.parent.name == f"tenant-{book.tenant_id}"

    with scope(agency):
        assert refused(token) == "no_such_link"
        stranger = make.client(make.member(Member.Role.ADMIN))
        theirs = things.creator()
        with pytest.raises(Refused):
            shop.bought_all(make.member(), Wanted(product=shop.offered(theirs, minor=5, kind=Product.Kind.EBOOK)))
    assert stranger.get(f"/api/v1/downloads/{token}/").json()["code"] == "no_such_link"
    assert stranger.get("/api/v1/ebooks/").json()["results"] == []
    path = f"/api/v1/ebook-files/{book.pk}/"
    assert stranger.put(path, PDF, content_type="application/octet-stream").status_code == 404


def test_the_list_of_copies_costs_the_same_however_many_there_are(
    creator: Creator, viewer: Member, client: APIClient, django_assert_max_num_queries: Any
) -> None:
    for number in range(3):
        book = shop.offered(creator, minor=500, kind=Product.Kind.EBOOK)
        operations.upload_ebook(product=book, by=creator.member, content=PDF, at=NOON)
        shop.bought_all(viewer, Wanted(product=book, amount=yuan(500)), key=f"{number}")
    client.get("/api/v1/ebooks/")

    with django_assert_max_num_queries(8):
        assert len(client.get("/api/v1/ebooks/").json()["results"]) == 3


def test_a_zip_that_is_bent_inside_is_no_epub() -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(epub())) as book, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as copy:
        for name in book.namelist():
            copy.writestr(name, book.read(name) * (1 if name == "mimetype" else 50))
    whole = written.getvalue()
    assert format_of(whole) == "epub"
    with zipfile.ZipFile(io.BytesIO(whole)) as book:
        begins = book.getinfo("one.xhtml").header_offset + 30 + len("one.xhtml")

    assert format_of(whole[:begins] + b"\xff" * 8 + whole[begins + 8 :]) is None
