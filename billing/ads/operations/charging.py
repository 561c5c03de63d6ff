"""What was billed becomes money: taken from what is set aside, and once a day shared with creators."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Sum

from billing import ledger
from billing.ads.models import Campaign, Charge, CreditPart, Flight, Share, Sharing
from billing.ads.models.campaigns import MICROS
from billing.ads.operations.campaigns import held_campaign
from billing.ads.queries.rules import ad_rules
from billing.ads.queries.shares import qualified_views
from billing.models import Journal
from billing.money import WHOLE_BPS, Money
from billing.operations.crash import crash_here
from billing.operations.earnings import credited
from billing.operations.taxes import terms_for
from billing.operations.terms import Terms
from creators.models import Creator
from kpplatform.tenancy.scope import current_tenant


def charge_next(*, at: datetime) -> int:
    """Charge a campaign what it was billed since, and say how many of its flights: 0 when none is behind."""
    behind = Flight.objects.filter(spent__gte=(F("charged") + 1) * MICROS).select_related("campaign").order_by("pk")
    flight = behind.first()
    return charge_campaign(campaign=flight.campaign, at=at) if flight else 0


@transaction.atomic
def charge_campaign(*, campaign: Campaign, at: datetime) -> int:
    """Charge the flights of a campaign, and say how many were charged."""
    campaign = held_campaign(campaign)
    flights = Flight.objects.select_for_update(no_key=True).filter(campaign=campaign).order_by("pk")
    due = [flight for flight in flights if flight.spent // MICROS > flight.charged]
    for flight in due:
        _charge(campaign, flight, at)
    crash_here("after_ad_charge")
    return len(due)


def _charge(campaign: Campaign, flight: Flight, at: datetime) -> None:
    money = Money(flight.spent // MICROS - flight.charged, campaign.currency)
    member = campaign.advertiser.member
    terms = replace(terms_for(member, at).with_tax_inside, processor_bps=0, platform_bps=0)
    tax = _tax(flight, money, terms)
    budget = ledger.ad_budget(member, money.currency)
    journal = ledger.post(
        kind=Journal.Kind.AD_CHARGE,
        key=f"ad-charge:{flight.pk}:{flight.charged}",  # what was charged before makes it the next one
        transfers=[(budget, ledger.tax(money.currency), tax), (budget, ledger.ad_revenue(money.currency), money - tax)],
        at=at,
    )
    day = at.astimezone(ZoneInfo(current_tenant().time_zone)).date()
    told = {"amount": money.minor, "tax": tax.minor, "currency": money.currency}
    Charge.objects.create(flight=flight, day=day, journal=journal, charged_at=at, **told)
    Flight.objects.filter(pk=flight.pk).update(charged=F("charged") + money.minor)


def _tax(flight: Flight, money: Money, terms: Terms) -> Money:
    """Return the tax of a charge: what of the tax on all that was charged is not taken yet, to the unit.

    Of a unit at a time nothing would ever be due. Where the rate has changed, it is the tax of this charge, rounded.
    """
    before = Charge.objects.filter(flight=flight).aggregate(tax=Sum("tax", default=0))["tax"]
    due = terms.divide(Money(flight.charged, money.currency) + money)["tax"].minor - before
    whole = WHOLE_BPS + terms.tax_bps
    least, rest = divmod(money.minor * terms.tax_bps, whole)
    return Money(min(max(due, least), least + bool(rest)), money.currency)


def share_next(*, at: datetime) -> int:
    """Share the income of the oldest day that is long enough over; 0 when none is left."""
    tenant = current_tenant()
    last = (at - ad_rules(tenant).hold).astimezone(ZoneInfo(tenant.time_zone)).date() - timedelta(days=1)
    shared = Sharing.objects.filter(day=OuterRef("day"), currency=OuterRef("currency"))
    due = Charge.objects.filter(~Exists(shared), day__lte=last).order_by("day", "currency").first()
    return int(share_day(day=due.day, currency=due.currency, at=at)) if due else 0


@transaction.atomic
def share_day(*, day: date, currency: str, at: datetime) -> bool:
    """Divide a day's income from ads among the platform and the creators who were watched; False if it was already.

    Without a qualified view the platform keeps it.
    """
    revenue = ledger.ad_revenue(currency)
    rules = ad_rules(current_tenant())
    views = qualified_views(day, least_ms=rules.qualified_ms)  # before the ledger is held
    ledger.held(revenue)  # nothing of the day is found invalid meanwhile
    if Sharing.objects.filter(day=day, currency=currency).exists():
        return False
    charged = Charge.objects.filter(day=day, currency=currency).aggregate(all=Sum("amount"), tax=Sum("tax"))
    before = CreditPart.objects.filter(day=day, credit__currency=currency, sharing=None)
    back = before.aggregate(all=Sum(F("amount") - F("tax"), default=0))["all"]
    income = Money((charged["all"] or 0) - (charged["tax"] or 0) - back, currency)
    part = income.split(rules.creators_bps, WHOLE_BPS - rules.creators_bps)[0] if views else income * 0
    parts = dict(zip(views, part.split(*views.values()), strict=True)) if views else {}
    creators = Creator.objects.in_bulk(parts)
    transfers = [(revenue, ledger.fees(currency), income - part)]
    for creator, money in parts.items():
        transfers += credited(revenue, ledger.pending(creators[creator], currency), money)
    key = f"ad-share:{day}:{currency}"
    journal = ledger.post(kind=Journal.Kind.AD_SHARE, key=key, transfers=transfers, at=at) if income else None
    told = {"amount": income.minor, "creators": part.minor, "views": sum(views.values())}
    sharing = Sharing.objects.create(day=day, currency=currency, journal=journal, shared_at=at, **told)
    Share.objects.bulk_create(
        Share(sharing=sharing, creator_id=creator, views=views[creator], amount=money.minor)
        for creator, money in parts.items()
        if money
    )
    return True
