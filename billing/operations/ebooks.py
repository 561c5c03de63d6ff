"""E-books: uploaded by their creator, downloaded by their buyers through links that expire, each marked as theirs."""

import hashlib
from datetime import datetime, timedelta

from django.core import signing
from django.db import transaction

from billing.models import EbookCopy, EbookFile, OrderLine, Product
from billing.operations import marking, page_marks
from billing.operations.products import Withdrawn, must_sell
from catalog.operations import NotYours
from kpplatform.errors import Conflict, Forbidden, Invalid, NotFound
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.once import insert_once
from kpplatform.tenancy.places import tenant_folder
from kpplatform.tenancy.scope import current_tenant

MOST_BYTES = 20 * 1024 * 1024
MOST_DOWNLOADS = 10
EXPIRES = timedelta(minutes=15)
SALT = "billing.ebooks"


class BadFile(Invalid):
    code = "bad_file"


class NoEbook(Conflict):
    code = "no_ebook"


class NoSuchLink(NotFound):
    code = "no_such_link"


class LinkExpired(Forbidden):
    code = "link_expired"


class FileUnreadable(NotFound):
    code = "file_unreadable"


class CopyRevoked(Forbidden):
    code = "copy_revoked"


class DownloadedTooOften(Forbidden):
    code = "downloaded_too_often"


@transaction.atomic
def upload_ebook(*, product: Product, by: Member, content: bytes, at: datetime) -> EbookFile:
    """Put the file behind an e-book; buyers download the latest one.

    Raises NotYours, NoEbook, Withdrawn, and BadFile for what is empty, too large, or neither PDF nor EPUB inside.
    """
    must_sell(product.creator, by)
    if product.kind != Product.Kind.EBOOK:
        raise NoEbook(f"{product} is no e-book.")
    if product.withdrawn_at is not None:
        raise Withdrawn("What was withdrawn is not changed any more.")
    if not 0 < len(content) <= MOST_BYTES:
        raise BadFile(f"An e-book has 1 to {MOST_BYTES} bytes.")
    kind = marking.format_of(content)
    if kind is None:
        raise BadFile("This is neither a PDF nor an EPUB, or cannot be marked: broken, locked, or of too many pages.")
    digest = hashlib.sha256(content).hexdigest()
    folder = tenant_folder("ebooks")
    folder.mkdir(parents=True, exist_ok=True)
    # Under its hash, and put in place whole: nobody reads half a file, and the same one twice is one.
    part = folder / f"{digest}.{product.pk}.part"
    part.write_bytes(content)
    part.replace(folder / digest)
    told = {"format": kind, "digest": digest, "size": len(content)}
    return EbookFile.objects.create(product=product, uploaded_by=by, uploaded_at=at, **told)


def link_to(*, copy: EbookCopy, by: Member, at: datetime) -> str:
    """Return the token of a link that downloads the copy within minutes. Raises NotYours, CopyRevoked and more."""
    if copy.viewer_id != by.pk:
        raise NotYours("Only its buyer downloads a copy.")
    _must_be_open(copy)
    told = {"tenant": current_tenant().pk, "copy": copy.pk, "until": int((at + EXPIRES).timestamp())}
    return signing.dumps(told, salt=SALT)


@transaction.atomic
def download(*, token: str, at: datetime) -> tuple[EbookFile, bytes]:
    """Return the file with the buyer's mark, and count it.

    Raises NoSuchLink for a forged one or another tenant's, LinkExpired, CopyRevoked, DownloadedTooOften, and
    FileUnreadable when the file is not there any more, or is another one: then nothing is counted.
    """
    try:
        told = signing.loads(token, salt=SALT)
    except signing.BadSignature as error:
        raise NoSuchLink("This is no link of ours.") from error
    if told["tenant"] != current_tenant().pk:
        raise NoSuchLink("This is no link of ours.")
    if at.timestamp() >= told["until"]:
        raise LinkExpired("This link has expired; ask for another.")
    copies = EbookCopy.objects.select_related("viewer", "line").select_for_update(of=("self",), no_key=True)
    copy = copies.get(pk=told["copy"])
    _must_be_open(copy)
    found = EbookFile.objects.filter(product=copy.product_id).order_by("-pk")[0]
    content = _marked(found, mark_of(copy))
    copy.downloads, copy.last_at = copy.downloads + 1, at
    copy.save(update_fields=["downloads", "last_at"])
    return found, content


def _marked(found: EbookFile, mark: str) -> bytes:
    try:
        content = tenant_folder("ebooks", found.digest).read_bytes()
        if hashlib.sha256(content).hexdigest() == found.digest:
            return marking.marked(content, found.format, mark)
    except page_marks.BROKEN as error:
        raise FileUnreadable("The file of this e-book cannot be read. Its creator has to upload it anew.") from error
    raise FileUnreadable("The file of this e-book is not the one that was uploaded.")


def mark_of(copy: EbookCopy) -> str:
    """Return by what a copy that is found somewhere leads back to who bought it."""
    return f"Member {copy.viewer_id} ({copy.viewer}), order {copy.line.order_id}, copy {copy.pk}"


def _must_be_open(copy: EbookCopy) -> None:
    if copy.revoked_at is not None:
        raise CopyRevoked("This was given back.")
    if copy.downloads >= MOST_DOWNLOADS:
        raise DownloadedTooOften(f"A copy is downloaded {MOST_DOWNLOADS} times at most.")


def has_file(product: Product) -> bool:
    """Tell whether there is something to download."""
    return EbookFile.objects.filter(product=product).exists()


def owns(viewer: Member, product: Product) -> bool:
    """Tell whether the viewer has a copy already."""
    return EbookCopy.objects.filter(viewer=viewer, product=product, revoked_at=None).exists()


def deliver(line: OrderLine, source: str, at: datetime) -> None:
    """Give the buyer a copy."""
    told = {"line_id": line.pk, "product_id": line.product_id, "viewer_id": line.order.viewer_id}
    insert_once(EbookCopy, source=source, downloads=0, granted_at=at, **told)


def take_back(_line: OrderLine, source: str, at: datetime) -> None:
    """End what the source has given."""
    EbookCopy.objects.filter(source=source, revoked_at=None).update(revoked_at=at)
