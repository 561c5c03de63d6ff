"""Tiers and their plans: made and withdrawn by the creator whose they are, or by the tenant's staff."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from billing.models import Plan, Product, Tier, TierItem
from billing.money import Money
from billing.operations.prices import MOST, NoSuchPrice
from catalog.models import Item
from catalog.operations import NotYours
from creators.models import Creator
from kpplatform.errors import Invalid
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant

LONGEST_TRIAL_DAYS = 90


class EmptyTier(Invalid):
    code = "empty_tier"


@transaction.atomic
def make_tier(
    *,
    by: Member,
    creator: Creator | None,
    title: str,
    description: str = "",
    items: Sequence[Item] = (),
    opens_all: bool = True,
    at: datetime,
) -> Tier:
    """Offer membership of a creator, or with none of the tenant: to all courses, to these items, or to both.

    Raises NotYours, and EmptyTier when it opens nothing.
    """
    _must_run(creator, by)
    if any(creator and item.creator_id != creator.pk for item in items):
        raise NotYours("A creator's tier opens that creator's items.")
    if not items and not opens_all:
        raise EmptyTier("A tier opens something.")
    tier = Tier.objects.create(creator=creator, title=title, description=description, opens_all=opens_all, made_at=at)
    TierItem.objects.bulk_create(TierItem(tier=tier, item=item) for item in items)
    return tier


@transaction.atomic
def add_plan(*, tier: Tier, by: Member, interval: str, amount: Money, trial_days: int = 0, at: datetime) -> Plan:
    """Sell the tier by the month or the year at this price, after so many free days. Raises NotYours, NoSuchPrice."""
    _must_run(tier.creator, by)
    if not 0 < amount.minor <= MOST or amount.currency != current_tenant().currency:
        raise NoSuchPrice(f"A period can not cost {amount}.")
    priced = {"amount": amount.minor, "currency": amount.currency}
    product = Product.objects.create(
        kind=Product.Kind.MEMBERSHIP, creator=tier.creator, title=tier.title, made_at=at, **priced
    )
    return Plan.objects.create(tier=tier, product=product, interval=interval, trial_days=trial_days)


@transaction.atomic
def withdraw_tier(*, tier: Tier, by: Member, at: datetime) -> Tier:
    """Let nobody join any longer; who is a member stays one. Raises NotYours."""
    tier = Tier.objects.select_for_update(no_key=True, of=("self",)).select_related("creator").get(pk=tier.pk)
    _must_run(tier.creator, by)
    if tier.withdrawn_at is None:
        tier.withdrawn_at = at
        tier.save(update_fields=["withdrawn_at"])
    return tier


def _must_run(creator: Creator | None, by: Member) -> None:
    if not by.runs_the_tenant and (creator is None or creator.member_id != by.pk):
        raise NotYours("Only its creator and the tenant's staff may do this.")
