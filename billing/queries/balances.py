"""What of a creator's money is where, and when the next of it becomes theirs."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from billing.models import Account, LineShare, OrderLine
from billing.money import Money
from creators.models import Creator

LOOKED_AT = 5_000  # lines that have not matured, the soonest first


def balances_of_creator(creator: Creator, currency: str) -> dict[str, Money]:
    """Return what is on each of the creator's accounts in a currency, by the account's kind; those in use."""
    rows = Account.objects.filter(creator=creator, currency=currency).order_by("kind")
    return {row.kind: row.balance for row in rows}


def next_maturity(creator: Creator) -> datetime | None:
    """Return when the next part of a sale becomes the creator's; None: nothing among the soonest is theirs."""
    due = OrderLine.objects.filter(matures_at__isnull=False).order_by("matures_at", "pk")
    soonest = due.values("pk")[:LOOKED_AT]
    shared = LineShare.objects.filter(line=OuterRef("pk"), creator=creator)
    theirs = due.filter(pk__in=soonest).filter(Q(creator=creator) | Exists(shared))
    return theirs.values_list("matures_at", flat=True).first()
