"""Offers that came to nothing, and those that looked odd."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from billing.ads.models import Campaign, Offer
from billing.ads.operations.campaigns import end_campaign
from billing.ads.operations.reporting import by_flight, is_due, set_free, spend
from billing.operations.staff import must_run_the_tenant
from kpplatform.errors import Conflict
from kpplatform.tenancy.models import Member

BATCH = 1_000
# What staff have not decided on by then is given free: the advertiser is not left waiting.
MOST_HELD = timedelta(days=7)


class NothingToDecide(Conflict):
    code = "nothing_to_decide"


@transaction.atomic
def lapse_offers(*, at: datetime, most: int = BATCH) -> int:
    """Set free what is reserved for so many offers whose time is over, and say for how many."""
    open_offers = Offer.objects.filter(billed_at=None, lapsed_at=None)
    over = open_offers.filter(odd="", expires_at__lte=at) | open_offers.exclude(odd="").filter(
        expires_at__lte=at - MOST_HELD
    )
    return _lapsed(over.order_by("expires_at", "pk"), at, most)


def _lapsed(over: QuerySet[Offer], at: datetime, most: int) -> int:
    offers = list(over.select_for_update(no_key=True, skip_locked=True)[:most])
    for of_flight in by_flight(offers):
        set_free(of_flight)
    Offer.objects.filter(pk__in=[offer.pk for offer in offers]).update(lapsed_at=at)
    return len(offers)


@transaction.atomic
def decide_on_offer(*, offer: Offer, by: Member, is_valid: bool, at: datetime) -> Offer:
    """Bill an offer that looked odd, or give its money free. Raises StaffOnly and NothingToDecide.

    What its flight pays for has to have happened: a view that was one after all is no click.
    """
    must_run_the_tenant(by)
    offer = Offer.objects.select_related("flight").select_for_update(of=("self",), no_key=True).get(pk=offer.pk)
    if not offer.odd or offer.decided_at or offer.billed_at or offer.lapsed_at:
        raise NothingToDecide("This offer does not wait for anybody.")
    offer.decided_by, offer.decided_at = by, at
    if is_valid and is_due(offer):
        offer.billed_at = at
        spend([offer])
    else:
        offer.lapsed_at = at
        set_free([offer])
    offer.save(update_fields=["decided_by", "decided_at", "billed_at", "lapsed_at"])
    return offer


def end_next(*, at: datetime) -> int:
    """End a campaign whose time is over; 0 when there is none."""
    over = Campaign.objects.filter(state__in=[Campaign.State.LIVE, Campaign.State.PAUSED], ends_at__lte=at)
    campaign = over.order_by("ends_at", "pk").first()
    if campaign:
        end_campaign(campaign=campaign, by=None, at=at)
    return int(campaign is not None)
