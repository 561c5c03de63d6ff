"""What of a creator's money is where, and when the next of it becomes theirs."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from billing.models import Account, Giving, LineShare, OrderLine
from billing.money import Money
from creators.models import Creator

LOOKED_AT = 5_000  # of what a creator has a part in, the newest


def balances_of_creator(creator: Creator, currency: str) -> dict[str, Money]:
    """Return what is on each of the creator's accounts in a currency, by the account's kind; those in use."""
    rows = Account.objects.filter(creator=creator, currency=currency).order_by("kind")
    return {row.kind: row.balance for row in rows}


def next_maturity(creator: Creator) -> datetime | None:
    """Return when the next part of a sale or a gift becomes the creator's; None: nothing is still to mature."""
    shared = LineShare.objects.filter(creator=creator).order_by("-pk").values("line")[:LOOKED_AT]
    theirs: list[QuerySet[Any]] = [
        OrderLine.objects.filter(creator=creator),
        OrderLine.objects.filter(pk__in=shared),
        Giving.objects.filter(creator=creator),
    ]
    soonest = [of.filter(matures_at__isnull=False).order_by("matures_at").first() for of in theirs]
    return min((of.matures_at for of in soonest if of), default=None)
