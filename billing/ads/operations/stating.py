"""Telling advertisers what they used: one statement a month, from the ledger, once the month is closed."""

from datetime import datetime

from django.db import transaction

from billing import queries as billing
from billing.ads.models import Advertiser, UseLine, UseOfCampaign, UseStatement
from billing.ads.queries.use import months_of, use_of_campaigns
from billing.models import Account, SettlementPeriod
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import current_tenant_id


@transaction.atomic
def state_use_next(*, at: datetime) -> int:
    """Issue the statements of the oldest closed month that has none, and say how many; 0 when there is none to issue.

    What is booked from then on, whenever it happened, belongs to later months, as it does for creators.
    """
    if not Account.objects.filter(kind=Account.Kind.ADVERTISER).exists():
        return 0
    Tenant.objects.select_for_update(no_key=True).get(pk=current_tenant_id())  # one at a time
    last = UseStatement.objects.order_by("-period__starts_on").values_list("period__starts_on", flat=True).first()
    periods = SettlementPeriod.objects.order_by("starts_on")
    for period in periods.filter(starts_on__gt=last) if last else periods:
        if issued := _state(period, at):
            return issued
    return 0


def _state(period: SettlementPeriod, at: datetime) -> int:
    months = months_of(period)
    advertisers = Advertiser.objects.select_related("member").filter(member__in={member for member, _ in months})
    acting = {of.member_id: of for of in advertisers}
    buyers = billing.billed_to([of.member for of in acting.values()])
    seller = billing.seller()
    made = UseStatement.objects.bulk_create(
        UseStatement(
            period=period,
            advertiser=acting[member],
            currency=currency,
            seller=seller,
            buyer=buyers[member],
            opening=month.opening,
            movements=month.movements,
            closing=month.opening + month.movements,
            issued_at=at,
        )
        for (member, currency), month in months.items()
    )
    statements = dict(zip(months, made, strict=True))
    UseLine.objects.bulk_create(
        UseLine(statement=statements[key], kind=kind, count=count, amount=amount)
        for key, month in months.items()
        for kind, (count, amount) in month.kinds.items()
    )
    UseOfCampaign.objects.bulk_create(
        UseOfCampaign(statement=statements[key], campaign_id=campaign, charged=charged, tax=tax, credited=credited)
        for key, by in use_of_campaigns(period).items()
        for campaign, (charged, tax, credited) in by.items()
    )
    return len(made)
