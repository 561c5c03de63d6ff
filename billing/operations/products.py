"""What is sold beside single items: made, changed and withdrawn by its creator or the tenant's staff."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict, Unpack

from django.db import transaction

from billing import queries
from billing.models import Content, OfferChange, Product
from billing.money import Money
from billing.operations.prices import MOST, NoSuchPrice, PriceIsTried
from catalog.models import Item
from catalog.operations import NotYours
from creators.models import Creator
from kpplatform.errors import Conflict, Invalid
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant

LONGEST_RENTAL_HOURS = 24 * 366
MOST_CONTENTS = 200


class BadContents(Invalid):
    code = "bad_contents"


class WrongCurrency(Invalid):
    code = "wrong_currency"


class Withdrawn(Conflict):
    code = "withdrawn"


@dataclass(frozen=True)
class Filling:
    """An item that a product shall open, for good or for so many hours."""

    item: Item
    hours: int | None = None


class Offer(TypedDict, total=False):
    """What may be changed of a product. What it opens may not: that is another product."""

    title: str
    description: str
    amount: Money
    is_open: bool


@transaction.atomic
def make_product(
    *,
    by: Member,
    kind: Product.Kind,
    creator: Creator | None,
    title: str,
    amount: Money,
    contents: Sequence[Filling] = (),
    description: str = "",
    is_open: bool = False,
    at: datetime,
) -> Product:
    """Offer a bundle, a rental or an e-book from now on; without a creator it is the tenant's own.

    Raises NotYours, NoSuchPrice, WrongCurrency, and BadContents for what this kind cannot open or is another's.
    """
    must_sell(creator, by)
    must_be_a_price(amount)
    _must_fit(kind, creator, contents)
    priced = {"amount": amount.minor, "currency": amount.currency, "is_open": is_open}
    product = Product.objects.create(
        kind=kind, creator=creator, title=title, description=description, made_at=at, **priced
    )
    Content.objects.bulk_create(Content(product=product, item=of.item, hours=of.hours) for of in contents)
    said = {"kind": kind, "title": title, "description": description, **priced}
    said["contents"] = [[of.item.pk, of.hours] for of in contents]
    OfferChange.objects.create(product=product, by=by, before={}, after=said, changed_at=at)
    return product


@transaction.atomic
def revise_product(*, product: Product, by: Member, at: datetime, **offer: Unpack[Offer]) -> Product:
    """Change what a product says and costs; orders placed before keep their price.

    Raises NotYours, Withdrawn, NoSuchPrice, WrongCurrency, and PriceIsTried while prices of it are being tried.
    """
    product = _held(product, by)
    if product.withdrawn_at is not None:
        raise Withdrawn("What was withdrawn is not changed any more.")
    is_dearer_or_cheaper = offer.get("amount", product.money) != product.money
    is_other = is_dearer_or_cheaper or offer.get("is_open", product.is_open) != product.is_open
    if is_other and queries.is_tried(product, at=at):
        raise PriceIsTried("Prices of it are being tried: end that first.")
    columns: dict[str, Any] = dict(offer)
    if "amount" in offer:
        must_be_a_price(offer["amount"])
        columns |= {"amount": offer["amount"].minor, "currency": offer["amount"].currency}
    _change(product, by=by, at=at, **columns)
    return product


@transaction.atomic
def withdraw_product(*, product: Product, by: Member, at: datetime) -> Product:
    """Sell the product no longer; who has bought it keeps it. Twice is once. Raises NotYours."""
    product = _held(product, by)
    if product.withdrawn_at is None:
        _change(product, by=by, at=at, withdrawn_at=at)
    return product


def must_sell(creator: Creator | None, by: Member) -> None:
    """Raise NotYours unless the member may sell in the creator's name, or without one in the tenant's."""
    is_own = creator is not None and creator.member_id == by.pk
    if not is_own and not by.runs_the_tenant:
        raise NotYours("Only its creator and the tenant's staff offer this.")


def must_be_a_price(amount: Money) -> None:
    """Raise NoSuchPrice or WrongCurrency for what nothing can cost here."""
    if not 0 < amount.minor <= MOST:
        raise NoSuchPrice(f"Nothing can cost {amount}.")
    if amount.currency != current_tenant().currency:
        raise WrongCurrency(f"Things are sold in {current_tenant().currency} here, not in {amount.currency}.")


def _must_fit(kind: Product.Kind, creator: Creator | None, contents: Sequence[Filling]) -> None:
    """Raise BadContents unless the kind can open these items, and they are the creator's own."""
    hours = [of.hours for of in contents]
    if len({of.item.pk for of in contents}) < len(contents) or len(contents) > MOST_CONTENTS:
        raise BadContents(f"A product opens different items, {MOST_CONTENTS} at most.")
    if creator and any(of.item.creator_id != creator.pk for of in contents):
        raise BadContents("A creator sells their own items only.")
    if kind == Product.Kind.RENTAL:
        if len(hours) != 1 or hours[0] is None or not 0 < hours[0] <= LONGEST_RENTAL_HOURS:
            raise BadContents(f"A rental is of one item, for 1 to {LONGEST_RENTAL_HOURS} hours.")
    elif kind == Product.Kind.BUNDLE:
        if not contents or any(hour is not None for hour in hours):
            raise BadContents("A bundle is of one item or more, for good.")
    elif contents:
        raise BadContents(f"What is of the kind {kind} opens no items.")


def _held(product: Product, by: Member) -> Product:
    """Return the product as it is now; nobody else changes it meanwhile. Raises NotYours."""
    held = Product.objects.select_related("creator").select_for_update(of=("self",), no_key=True).get(pk=product.pk)
    must_sell(held.creator, by)
    return held


def _change(product: Product, *, by: Member, at: datetime, **columns: Any) -> None:
    before = {name: getattr(product, name) for name in columns}
    for name, value in columns.items():
        setattr(product, name, value)
    product.save(update_fields=list(columns))
    if before != columns:
        changed = [{name: said(row[name]) for name in columns} for row in (before, columns)]
        OfferChange.objects.create(product=product, by=by, before=changed[0], after=changed[1], changed_at=at)


def said(value: Any) -> Any:
    """Return a column as it is told of in JSON."""
    return value.isoformat() if isinstance(value, datetime) else value
