"""A campaign from its draft to its end; what it may spend is set aside in the ledger while it lives."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Sum

from billing import ledger
from billing.ads.models import Campaign, CampaignChange, Creative, Flight, MakeGood, Offer
from billing.ads.models.campaigns import CLOSED, MICROS
from billing.ads.operations.advertisers import must_act_for
from billing.ads.operations.pacing import look_at
from billing.models import Journal
from billing.money import Money
from kpplatform.errors import Conflict
from kpplatform.tenancy.models import Member

State = Campaign.State
WAITED = timedelta(days=7)  # for staff to decide on a make-good: so long its budget stays set aside


class NotADraft(Conflict):
    code = "not_a_draft"


class NothingToShow(Conflict):
    code = "nothing_to_show"


class CampaignOver(Conflict):
    code = "campaign_over"


@transaction.atomic
def launch(*, campaign: Campaign, by: Member, at: datetime) -> Campaign:
    """Set the budget aside and let it compete.

    Raises NotADraft, CampaignOver, NothingToShow, and NotEnoughMoney for too little balance.
    """
    campaign = held_campaign(campaign)
    must_act_for(campaign.advertiser, by)
    if campaign.state == State.LIVE:
        return campaign
    if campaign.state != State.DRAFT:
        raise NotADraft(f"{campaign} is {campaign.state}.")
    if at >= campaign.ends_at:
        raise CampaignOver(f"{campaign} would be over already.")
    approved = Creative.objects.filter(flight__campaign=campaign, state=Creative.State.APPROVED)
    if not approved.exists():
        raise NothingToShow("Staff have not approved anything that it could show yet.")
    budget = Flight.objects.filter(campaign=campaign).aggregate(all=Sum("budget"))["all"] or 0
    look_at(campaign, at=at)  # before the ledger is held
    if budget:
        _post(campaign, Journal.Kind.AD_COMMIT, f"ad-commit:{campaign.pk}", Money(budget, campaign.currency), at)
    campaign.committed = budget
    return _moved(campaign, State.LIVE, by=by, at=at)


@transaction.atomic
def pause_campaign(*, campaign: Campaign, by: Member, reason: str = "", at: datetime) -> Campaign:
    """Let it compete no longer for now; its budget stays set aside. Raises CampaignOver."""
    return _switch(campaign, (State.LIVE, State.PAUSED), by=by, reason=reason, at=at)


@transaction.atomic
def resume_campaign(*, campaign: Campaign, by: Member, at: datetime) -> Campaign:
    """Let it compete again. Raises CampaignOver."""
    return _switch(campaign, (State.PAUSED, State.LIVE), by=by, reason="", at=at)


def _switch(
    campaign: Campaign, way: tuple[Campaign.State, Campaign.State], *, by: Member, reason: str, at: datetime
) -> Campaign:
    campaign = held_campaign(campaign)
    must_act_for(campaign.advertiser, by)
    if campaign.state == way[1]:
        return campaign
    if campaign.state != way[0]:
        raise CampaignOver(f"{campaign} is {campaign.state}.")
    return _moved(campaign, way[1], by=by, reason=reason, at=at)


@transaction.atomic
def end_campaign(*, campaign: Campaign, by: Member | None, reason: str = "", at: datetime) -> Campaign:
    """End it for good. What was not spent goes back to the balance once no offer of it is open.

    Its flights are closed: who has read a moment ago that it lives, and waits for one, offers nothing any more.
    """
    campaign = held_campaign(campaign)
    if by:
        must_act_for(campaign.advertiser, by)
    if campaign.state == State.ENDED:
        return campaign
    flights = Flight.objects.filter(campaign=campaign)
    list(flights.select_for_update(no_key=True).order_by("pk"))
    flights.update(tonight=CLOSED)
    return _moved(campaign, State.ENDED, by=by, reason=reason, at=at)


@transaction.atomic
def give_back_next(*, at: datetime) -> int:
    """Give an ended campaign's advertiser back what it will not spend; 0 when none is ready.

    It is ready when nothing that was offered is open or held, what was billed is charged, and staff have decided on its
    make-good, or have not for a week. The part of a minor unit
    that was billed beyond is given to the advertiser.
    """
    undecided = Offer.objects.filter(campaign=OuterRef("pk"), billed_at=None, lapsed_at=None)
    behind = Flight.objects.filter(campaign=OuterRef("pk"), spent__gte=(F("charged") + 1) * MICROS)
    proposed = MakeGood.objects.filter(flight__campaign=OuterRef("pk"), state="proposed", proposed_at__gt=at - WAITED)
    ended = Campaign.objects.filter(
        ~Exists(undecided), ~Exists(behind), ~Exists(proposed), state=State.ENDED, given_back=None, committed__gt=0
    )
    campaign = ended.select_for_update(no_key=True).order_by("pk").first()
    if campaign is None:
        return 0
    charged = Flight.objects.filter(campaign=campaign).aggregate(all=Sum("charged"))["all"] or 0
    left = Money(campaign.committed - charged, campaign.currency)
    if left:
        _post(campaign, Journal.Kind.AD_RELEASE, f"ad-release:{campaign.pk}", left, at)
    campaign.given_back = left.minor
    campaign.save(update_fields=["given_back"])
    return 1


def held_campaign(campaign: Campaign) -> Campaign:
    """Return the campaign as it is now, held until the transaction ends."""
    rows = Campaign.objects.select_related("advertiser__member").select_for_update(of=("self",), no_key=True)
    return rows.get(pk=campaign.pk)


def noted(campaign: Campaign, *, by: Member | None, what: str, reason: str = "", at: datetime) -> None:
    """Write down who changed a campaign."""
    CampaignChange.objects.create(campaign=campaign, by=by, what=what, reason=reason, changed_at=at)


def _moved(campaign: Campaign, state: Campaign.State, *, by: Member | None, reason: str = "", at: datetime) -> Campaign:
    campaign.state = state
    campaign.save(update_fields=["state", "committed"])
    noted(campaign, by=by, what=state, reason=reason, at=at)
    return campaign


def _post(campaign: Campaign, kind: Journal.Kind, key: str, money: Money, at: datetime) -> None:
    member = campaign.advertiser.member
    ways = (ledger.advertiser(member, money.currency), ledger.ad_budget(member, money.currency))
    source, to = ways if kind == Journal.Kind.AD_COMMIT else reversed(ways)
    ledger.post(kind=kind, key=key, transfers=[(source, to, money)], at=at)
