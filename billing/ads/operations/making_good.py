"""Make-goods: a sponsorship that was delivered less than promised goes on for some days, or is credited a part."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Sum

from billing.ads.models import Campaign, CampaignChange, Credit, Flight, MakeGood, Offer
from billing.ads.models.campaigns import MICROS
from billing.ads.operations.campaigns import CampaignOver, held_campaign, noted
from billing.ads.operations.crediting import credit_advertiser
from billing.ads.operations.lapsing import NothingToDecide
from billing.ads.operations.pacing import look_at
from billing.ads.operations.reviewing import NoReason
from billing.ads.queries.rules import ad_rules
from billing.money import WHOLE_BPS
from billing.operations.staff import must_run_the_tenant
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant

State = MakeGood.State
MOST_DAYS = 30


@transaction.atomic
def propose_next(*, at: datetime) -> int:
    """Propose a make-good for each flight of a sponsorship that is over and short of its budget; say for how many.

    It is over when its time is, nothing that was offered is open or held, and what was billed is charged. Who has ended
    it before its time has none.
    """
    least = ad_rules(current_tenant()).least_delivered
    undecided = Offer.objects.filter(flight=OuterRef("pk"), billed_at=None, lapsed_at=None)
    told = MakeGood.objects.filter(flight=OuterRef("pk"), until=OuterRef("ends_at"))
    over = Flight.objects.filter(
        ~Exists(undecided),
        ~Exists(told),
        campaign__state=Campaign.State.ENDED,
        campaign__tier=Campaign.Tier.SPONSORSHIP,
        campaign__ends_at__lte=at,
        campaign__given_back=None,
        spent__lt=(F("charged") + 1) * MICROS,
        charged__lt=F("budget") * least,
    )
    flights = list(over.filter(ends_at__lte=at).select_related("campaign").order_by("pk"))
    ended_by_clock = [of for of in flights if not _ended_early(of)]
    MakeGood.objects.bulk_create(_proposed(flight, at) for flight in ended_by_clock)
    return len(ended_by_clock)


def _ended_early(flight: Flight) -> bool:
    """Whether somebody ended the campaign, and not the clock."""
    ended = CampaignChange.objects.filter(campaign=flight.campaign, what=Campaign.State.ENDED)
    last = ended.order_by("-pk").first()
    return bool(last and last.by_id)


def _proposed(flight: Flight, at: datetime) -> MakeGood:
    missing = flight.budget - flight.charged
    lasted = flight.ends_at - flight.starts_at
    days = -(-lasted * missing // (max(flight.charged, 1) * timedelta(days=1)))
    credited = Credit.objects.filter(campaign=flight.campaign).aggregate(all=Sum("amount", default=0))["all"]
    amount = missing * ad_rules(current_tenant()).make_good_bps // WHOLE_BPS
    return MakeGood(
        flight=flight,
        until=flight.ends_at,
        promised=flight.budget,
        delivered=flight.charged,
        days=min(max(days, 1), MOST_DAYS),
        amount=max(min(amount, flight.charged - credited), 0),
        proposed_at=at,
    )


@transaction.atomic
def decide_on_make_good(*, make_good: MakeGood, by: Member, how: str, note: str, at: datetime) -> MakeGood:
    """Let the flight go on for the days proposed, credit the amount instead, or neither; `how` is the state after.

    Raises StaffOnly, NoReason, NothingToDecide, CampaignOver for more days when its budget was given back already, and
    NoCredit and TooMuchCredit as every credit.
    """
    must_run_the_tenant(by)
    if not note.strip():
        raise NoReason("It is said why.")
    campaign = held_campaign(make_good.flight.campaign)
    make_good = MakeGood.objects.select_related("flight").get(pk=make_good.pk)
    if make_good.state != State.PROPOSED:
        raise NothingToDecide(f"It was {make_good.state}.")
    if how == State.EXTENDED:
        _extend(campaign, make_good, by=by, note=note, at=at)
    elif how == State.CREDITED:
        said: dict[str, Any] = {"amount": make_good.amount, "reason": Credit.Reason.MAKE_GOOD, "note": note}
        key = f"make-good:{make_good.pk}"
        make_good.credit = credit_advertiser(campaign=campaign, by=by, key=key, at=at, **said)
    make_good.state, make_good.note, make_good.by, make_good.decided_at = State(how), note.strip(), by, at
    make_good.save(update_fields=["state", "note", "by", "decided_at", "credit"])
    return make_good


def _extend(campaign: Campaign, make_good: MakeGood, *, by: Member, note: str, at: datetime) -> None:
    """Let the flight go on, with what is set aside for it still."""
    if campaign.given_back is not None or campaign.state not in {Campaign.State.ENDED, Campaign.State.LIVE}:
        raise CampaignOver("What was set aside for it has been given back.")
    flight = Flight.objects.select_for_update(no_key=True).get(pk=make_good.flight_id)
    flight.ends_at = max(flight.ends_at, at) + timedelta(days=make_good.days)
    flight.tonight = None
    flight.save(update_fields=["ends_at", "tonight"])
    campaign.ends_at = max(campaign.ends_at, flight.ends_at)
    campaign.state = Campaign.State.LIVE
    campaign.save(update_fields=["ends_at", "state"])
    look_at(campaign, at=at)
    noted(campaign, by=by, what=f"flight {flight.pk} extended", reason=note.strip(), at=at)
