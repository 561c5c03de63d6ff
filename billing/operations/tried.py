"""Selling at prices that are tried: which the viewer sees, noted when first shown, and with what is sold."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from billing import queries
from billing.models import OrderLine, PriceArm, PriceShown, TriedLine
from billing.money import Money
from billing.operations.wanted import Quoted, Wanted
from billing.queries.price_experiments import Thing
from kpplatform.tenancy.models import Member


def show_prices(
    *, viewer: Member, items: Collection[int] = (), products: Collection[int] = (), at: datetime
) -> Mapping[Thing, PriceArm]:
    """Return at which tried prices the viewer sees these things, and note those that they are shown for the first time.

    Who sells it can look at its price without being counted.
    """
    told = queries.prices_tried(viewer, items=items, products=products, at=at)
    PriceShown.objects.bulk_create(
        (
            PriceShown(experiment=of.arm.experiment, arm=of.arm, viewer=viewer, shown_at=at)
            for of in told.values()
            if not of.is_noted and not _sells(viewer, of.arm)
        ),
        ignore_conflicts=True,
    )
    return {thing: of.arm for thing, of in told.items()}


def _sells(viewer: Member, arm: PriceArm) -> bool:
    """Tell whether it is their own, or the tenant's, whose prices they may try."""
    creator = arm.experiment.creator
    return viewer.runs_the_tenant or (creator is not None and creator.member_id == viewer.pk)


def arms_of(
    viewer: Member, wanted: Sequence[Wanted], prices: Sequence[Money], at: datetime
) -> tuple[PriceArm | None, ...]:
    """Return at which tried price each thing is sold to the viewer: never at one above what it costs."""
    items = [of.item.pk for of in wanted if of.item]
    products = [of.product.pk for of in wanted if of.product]
    shown = show_prices(viewer=viewer, items=items, products=products, at=at) if items or products else {}
    arms = [shown.get(_thing(of)) for of in wanted]
    return tuple(arm if holds(arm, price) else None for arm, price in zip(arms, prices, strict=True))


def holds(arm: PriceArm | None, price: Money) -> bool:
    """Tell whether a tried price is what the thing costs the viewer: of the two the lower one."""
    return arm is not None and arm.experiment.currency == price.currency and arm.amount <= price.minor


def _thing(of: Wanted) -> Thing:
    return ("item", of.item.pk) if of.item else ("product", of.product.pk if of.product else 0)


def note_tried(line: OrderLine, of: Quoted) -> None:
    """Keep with a line at which tried price it was sold, if it was."""
    if of.arm:
        added = of.price.minor - of.arm.amount
        TriedLine.objects.create(line=line, arm=of.arm, amount=of.arm.amount, added_tax=added)
