"""What an advertiser paid in, spent and got back in a span: from the ledger alone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum, When

from billing import ledger
from billing.ads.models import Advertiser, Charge
from billing.models import Account, Journal, Transfer
from billing.money import Money


@dataclass(frozen=True)
class AdStatement:
    """Opening + lines = closing, to the unit. What is set aside for campaigns is still the advertiser's.

    Each line is a journal with its `amount`: above zero it is the advertiser's.
    """

    currency: str
    opening: Money
    lines: QuerySet[Any]  # of Journal
    closing: Money
    by_campaign: dict[int, int]  # charged in the span, in minor units


def ad_statement(advertiser: Advertiser, *, currency: str, since: datetime, until: datetime) -> AdStatement:
    """Return the movements of a span, the first one first; setting aside and giving free is none."""
    names = [str(name(advertiser.member, currency)) for name in (ledger.advertiser, ledger.ad_budget)]
    accounts = list(Account.objects.filter(name__in=names).values_list("pk", flat=True))
    comes, goes = Q(credit__in=accounts), Q(debit__in=accounts)
    moved = Transfer.objects.filter((comes & ~goes) | (goes & ~comes))
    opening = _sum(moved.filter(journal__at__lt=since), accounts)
    within = moved.filter(journal__at__gte=since, journal__at__lt=until)
    closing = opening + _sum(within, accounts)
    charged = Charge.objects.filter(
        flight__campaign__advertiser=advertiser, currency=currency, charged_at__gte=since, charged_at__lt=until
    )
    by_campaign = charged.values_list("flight__campaign").annotate(Sum("amount")).order_by("flight__campaign")
    lines = _lines(moved, accounts).filter(at__gte=since, at__lt=until)
    return AdStatement(currency, Money(opening, currency), lines, Money(closing, currency), dict(by_campaign))


def _lines(moved: QuerySet[Transfer], accounts: list[int]) -> QuerySet[Any]:
    """Return the journals that moved something, the first one first, each with what of it is the advertiser's."""
    of_journal = moved.filter(journal=OuterRef("pk")).order_by().values("journal")
    part = Case(When(credit__in=accounts, then=F("amount")), default=-F("amount"))
    amount = Subquery(of_journal.annotate(all=Sum(part)).values("all"))
    return Journal.objects.filter(Exists(moved.filter(journal=OuterRef("pk")))).annotate(amount=amount).order_by("seq")


def _sum(moved: QuerySet[Transfer], accounts: list[int]) -> int:
    told = moved.aggregate(
        into=Sum("amount", filter=Q(credit__in=accounts), default=0),
        out=Sum("amount", filter=Q(debit__in=accounts), default=0),
    )
    return int(told["into"] - told["out"])
