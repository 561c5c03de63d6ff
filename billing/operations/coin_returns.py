"""Coins that were not spent, given back as the money they were bought for."""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from billing import ledger
from billing.models import Order, OrderLine, Refund
from billing.money import Money
from billing.operations.refunds import NotYourOrder, refund
from billing.queries import coin_value
from kpplatform.errors import Conflict
from kpplatform.tenancy.models import Member


class NoCoins(Conflict):
    code = "no_coins"


@transaction.atomic
def return_coins(*, viewer: Member, by: Member, key: str, at: datetime) -> list[Refund]:
    """Give back all that a viewer's unspent coins are worth, out of the packs they bought last.

    The same key gives the same refunds. Raises NotYourOrder and NoCoins.
    """
    if by.pk != viewer.pk and not by.runs_the_tenant:
        raise NotYourOrder("Only who bought them and the tenant's staff may ask for this.")
    bought = OrderLine.objects.filter(kind=OrderLine.Kind.COINS, order__viewer=viewer, order__paid_at__isnull=False)
    # Orders first, then the ledger: everybody's order of locks.
    list(Order.objects.select_for_update(no_key=True).filter(pk__in=bought.values("order")).order_by("pk"))
    if asked := list(Refund.objects.filter(line__in=bought, asked_by=by, asked_key=key).order_by("pk")):
        return asked
    left = ledger.held(ledger.coins(viewer, coin_value().currency))
    given = []
    for line in bought.filter(refunded__lt=F("amount") - F("disputed"), order__currency=left.currency).order_by("-pk"):
        part = min(left, Money(line.left, left.currency))
        if not part:
            break
        given.append(refund(line=line, by=by, amount=part, key=key, at=at))
        left -= part
    if not given:
        raise NoCoins("There are no coins to give back.")
    return given
