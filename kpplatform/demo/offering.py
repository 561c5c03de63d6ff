"""What the demo's creators sell beside their courses: an e-book, a membership, an answer; and coins and a gift."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing import operations as billing
from billing.models import ConsultationOffer, Plan, Product, VirtualGift
from billing.money import Money
from catalog.models import Item
from creators.models import Creator
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant

FEN = {"CNY": 1, "USD": 7}  # so many are worth the smallest unit of a currency
BOOK, YEAR, ANSWER, COINS = 3_900, 19_900, 9_900, 500
QUESTION = [{"name": "question", "label": "问题 Question", "type": "text", "required": True}]
INSIDE = {
    "mimetype": "application/epub+zip",
    "META-INF/container.xml": '<container><rootfile full-path="book.opf"/></container>',
    "book.opf": "<package><metadata><title>Notes</title></metadata></package>",
    "one.xhtml": "<html><p>笔记 Notes</p></html>",
}


@dataclass(frozen=True)
class Shop:
    """What one creator sells."""

    creator: Creator
    courses: Sequence[Item]
    book: Product
    year: Plan
    answer: ConsultationOffer


@dataclass(frozen=True)
class Counter:
    """What the tenant itself sells, for all creators."""

    coins: Product
    gift: VirtualGift


def priced(fen: int) -> Money:
    """Return what costs so many fen, in the currency of the scope's tenant."""
    currency = current_tenant().currency
    return Money(max(fen // FEN.get(currency, 1), 1), currency)


def open_shop(*, creator: Creator, by: Member, at: datetime) -> Shop:
    """Put something of each kind up for sale."""
    offered: dict[str, Any] = {"by": by, "creator": creator, "at": at}
    book = billing.make_product(
        kind=Product.Kind.EBOOK, title=f"{creator.name} · 笔记 Notes", amount=priced(BOOK), **offered
    )
    billing.upload_ebook(product=book, by=by, content=_epub(), at=at)
    tier = billing.make_tier(title=f"{creator.name} · 会员 Members", **offered)
    year = billing.add_plan(tier=tier, by=by, interval=Plan.Interval.YEAR, amount=priced(YEAR), at=at)
    answer = billing.offer_consultation(
        kind=ConsultationOffer.Kind.QUESTION,
        title=f"{creator.name} · 提问 Ask me",
        amount=priced(ANSWER),
        form=QUESTION,
        hours=72,
        **offered,
    )
    courses = list(Item.objects.filter(kind=Item.Kind.COURSE, creator=creator, state="published").order_by("pk"))
    return Shop(creator, courses, book, year, answer)


def open_counter(*, by: Member, at: datetime) -> Counter:
    """Put coins and a gift up for sale."""
    coins = billing.offer_pack(by=by, coins=COINS, title=f"{COINS} 金币 coins", at=at)
    return Counter(coins, billing.make_gift(by=by, name_zh="花束", name_en="Flowers", coins=COINS // 5, at=at))


def _epub() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as book:
        for name, content in INSIDE.items():
            book.writestr(zipfile.ZipInfo(name), content)
    return written.getvalue()
