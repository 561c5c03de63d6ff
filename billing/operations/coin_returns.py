"""What was prepaid and not spent, given back as the money it was bought for: coins, and a balance for ads."""

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


class NoBalance(Conflict):
    code = "no_balance"


@transaction.atomic
def return_coins(*, viewer: Member, by: Member, key: str, at: datetime) -> list[Refund]:
    """Give back all that a viewer's unspent coins are worth, out of the packs they bought last.

    The same key gives the same refunds. Raises NotYourOrder and NoCoins.
    """
    left = ledger.coins(viewer, coin_value().currency)
    given = _returned(OrderLine.Kind.COINS, left, viewer=viewer, by=by, key=key, at=at)
    if not given:
        raise NoCoins("There are no coins to give back.")
    return given


@transaction.atomic
def return_ad_balance(*, viewer: Member, by: Member, currency: str, key: str, at: datetime) -> list[Refund]:
    """Give back all of an advertiser's balance that is not set aside, out of what they paid in last.

    The same key gives the same refunds. What was credited to them and never paid in stays. Raises NotYourOrder and
    NoBalance.
    """
    left = ledger.advertiser(viewer, currency)
    given = _returned(OrderLine.Kind.AD_BALANCE, left, viewer=viewer, by=by, key=key, at=at)
    if not given:
        raise NoBalance("There is no balance to give back.")
    return given


def _returned(
    kind: OrderLine.Kind, name: ledger.Name, *, viewer: Member, by: Member, key: str, at: datetime
) -> list[Refund]:
    """Give back what lies in the account, out of the lines of this kind that were paid last."""
    if by.pk != viewer.pk and not by.runs_the_tenant:
        raise NotYourOrder("Only who bought them and the tenant's staff may ask for this.")
    bought = OrderLine.objects.filter(kind=kind, order__viewer=viewer, order__paid_at__isnull=False)
    # Orders first, then the ledger: everybody's order of locks.
    list(Order.objects.select_for_update(no_key=True).filter(pk__in=bought.values("order")).order_by("pk"))
    if asked := list(Refund.objects.filter(line__in=bought, asked_by=by, asked_key=key).order_by("pk")):
        return asked
    left = ledger.held(name)
    given = []
    for line in bought.filter(refunded__lt=F("amount") - F("disputed"), order__currency=left.currency).order_by("-pk"):
        part = min(left, Money(line.left, left.currency))
        if not part:
            break
        given.append(refund(line=line, by=by, amount=part, key=key, at=at))
        left -= part
    return given
