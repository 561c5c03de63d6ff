"""Giving money back to advertisers: what was promised and not delivered, and what no viewer saw."""

from datetime import datetime
from hashlib import sha256

from django.db import transaction
from django.db.models import Sum

from billing import ledger
from billing.ads.models import Campaign, Charge, Credit
from billing.ads.operations.campaigns import held_campaign
from billing.models import Journal
from billing.money import Money
from billing.operations.staff import must_run_the_tenant
from kpplatform.errors import Conflict, Invalid
from kpplatform.tenancy.models import Member


class NoCredit(Invalid):
    code = "no_credit"


class TooMuchCredit(Conflict):
    code = "too_much_credit"


class CreditKeyTaken(Conflict):
    code = "credit_key_taken"


LONGEST = 100  # of a key, as it stands in the ledger's


@transaction.atomic
def credit_advertiser(
    *, campaign: Campaign, by: Member, amount: int, reason: str, note: str, key: str, at: datetime
) -> Credit:
    """Give an advertiser money of the platform's, never more than the campaign was charged in all.

    What creators were given stays theirs: the platform bears it. The same key gives the same credit. Raises StaffOnly,
    NoCredit, TooMuchCredit and CreditKeyTaken.
    """
    must_run_the_tenant(by)
    campaign = held_campaign(campaign)
    ledger.held(ledger.fees(campaign.currency))  # of two campaigns under one key, the second sees the first
    if given := Credit.objects.filter(key=key).first():
        if (given.campaign_id, given.amount) != (campaign.pk, amount):
            raise CreditKeyTaken(f"Under this key {given.amount} {given.currency} were credited before.")
        return given
    if amount <= 0 or not note.strip():
        raise NoCredit("A credit gives something, and says why.")
    charged = Charge.objects.filter(flight__campaign=campaign).aggregate(all=Sum("amount"))["all"] or 0
    before = Credit.objects.filter(campaign=campaign).aggregate(all=Sum("amount"))["all"] or 0
    if before + amount > charged:
        raise TooMuchCredit(f"{charged - before} minor units at most are left to give back.")
    money = Money(amount, campaign.currency)
    to = ledger.advertiser(campaign.advertiser.member, money.currency)
    journal = ledger.post(
        kind=Journal.Kind.AD_CREDIT, key=booked_as(key), transfers=[(ledger.fees(money.currency), to, money)], at=at
    )
    told = {"reason": reason, "note": note.strip(), "amount": amount, "currency": money.currency, "key": key}
    return Credit.objects.create(
        advertiser=campaign.advertiser, campaign=campaign, by=by, journal=journal, credited_at=at, **told
    )


def booked_as(key: str) -> str:
    """Return the ledger's key of a credit: what is longer than fits beside the name stands there as its digest."""
    return f"ad-credit:{key if len(key) <= LONGEST else sha256(key.encode()).hexdigest()}"
