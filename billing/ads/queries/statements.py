"""What an advertiser paid in, spent and got back in a span: from the ledger alone."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q, QuerySet, Sum

from billing import ledger
from billing.ads.models import Advertiser, Charge
from billing.models import Account, Transfer
from billing.money import Money


@dataclass(frozen=True)
class AdLine:
    """One movement of an advertiser's money: above zero it is theirs."""

    at: datetime
    kind: str
    key: str
    amount: int


@dataclass(frozen=True)
class AdStatement:
    """Opening + lines = closing, to the unit. What is set aside for campaigns is still the advertiser's."""

    currency: str
    opening: Money
    lines: list[AdLine]
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
    rows = within.values("journal__at", "journal__kind", "journal__key").annotate(
        into=Sum("amount", filter=comes, default=0), out=Sum("amount", filter=goes, default=0), seq=F("journal__seq")
    )
    lines = [
        AdLine(row["journal__at"], row["journal__kind"], row["journal__key"], row["into"] - row["out"])
        for row in rows.order_by("seq")
    ]
    closing = opening + sum(line.amount for line in lines)
    charged = Charge.objects.filter(
        flight__campaign__advertiser=advertiser, currency=currency, charged_at__gte=since, charged_at__lt=until
    )
    by_campaign = charged.values_list("flight__campaign").annotate(Sum("amount")).order_by("flight__campaign")
    return AdStatement(currency, Money(opening, currency), lines, Money(closing, currency), dict(by_campaign))


def _sum(moved: QuerySet[Transfer], accounts: list[int]) -> int:
    told = moved.aggregate(
        into=Sum("amount", filter=Q(credit__in=accounts), default=0),
        out=Sum("amount", filter=Q(debit__in=accounts), default=0),
    )
    return int(told["into"] - told["out"])
