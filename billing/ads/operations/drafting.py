"""Writing down a campaign: who sees it, what it may spend, what is shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction

from billing.ads.models import Advertiser, Campaign, Creative, Flight
from billing.ads.models.places import PLACEMENTS
from billing.ads.operations.advertisers import must_act_for
from billing.ads.operations.campaigns import CampaignOver, NotADraft, held_campaign, noted
from billing.money import EXPONENTS
from kpplatform.errors import Invalid
from kpplatform.rest.countries import COUNTRIES
from kpplatform.tenancy.models import Member

State = Campaign.State
MOST_BUDGET = 10**12  # minor units: in micros it still fits a bigint
WEB = URLValidator(schemes=["https", "http"])


class EndsBeforeStart(Invalid):
    code = "ends_before_start"


class NoBudget(Invalid):
    code = "no_budget"


class NoBid(Invalid):
    code = "no_bid"


class BadCap(Invalid):
    code = "bad_cap"


class BadTarget(Invalid):
    code = "bad_target"


class WrongFormat(Invalid):
    code = "wrong_format"


class WrongLink(Invalid):
    code = "wrong_link"


class StaffOnlyTier(Invalid):
    code = "staff_only_tier"


@dataclass(frozen=True)
class Caps:
    """How often the same viewer sees a campaign at most."""

    per_day: int = 5
    per_session: int = 2
    per_viewer: int = 50


@dataclass(frozen=True)
class Target:
    """Where a flight stands and for whom; nothing said means any."""

    placements: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    devices: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()
    countries: tuple[str, ...] = ()


@transaction.atomic
def draft_campaign(
    *,
    advertiser: Advertiser,
    by: Member,
    name: str,
    tier: str = Campaign.Tier.AUCTION,
    currency: str,
    starts_at: datetime,
    ends_at: datetime,
    caps: Caps = Caps(),
    shuns: tuple[str, ...] = (),
    at: datetime,
) -> Campaign:
    """Write down what is wanted; nothing is spent before it is launched.

    Raises NotYourAdvertiser, AdvertiserBlocked, EndsBeforeStart, BadCap, BadTarget, and StaffOnlyTier for what only
    staff set up.
    """
    must_act_for(advertiser, by)
    _must_be_a_span(starts_at, ends_at)
    if tier != Campaign.Tier.AUCTION and not by.runs_the_tenant:
        raise StaffOnlyTier("Sponsorships and house ads are set up by the tenant's staff.")
    if min(caps.per_day, caps.per_session, caps.per_viewer) < 1:
        raise BadCap("A campaign may be seen once at least.")
    if currency not in EXPONENTS:
        raise BadTarget(f"There is no currency {currency}.")
    campaign = Campaign.objects.create(
        advertiser=advertiser,
        name=name,
        tier=tier,
        currency=currency,
        starts_at=starts_at,
        ends_at=ends_at,
        shuns=list(shuns),
        made_at=at,
        per_day=caps.per_day,
        per_session=caps.per_session,
        per_viewer=caps.per_viewer,
    )
    noted(campaign, by=by, what="drafted", at=at)
    return campaign


@transaction.atomic
def add_flight(
    *,
    campaign: Campaign,
    by: Member,
    name: str,
    budget: int,
    bid: int,
    pays_for: str = Flight.PaysFor.VIEWS,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    daily: int | None = None,
    is_even: bool = True,
    target: Target = Target(),
    at: datetime,
) -> Flight:
    """Give a drafted campaign a budget, in minor units, what it bids for which event, and on whom.

    Raises NotADraft, EndsBeforeStart, NoBudget, NoBid and BadTarget.
    """
    campaign = held_campaign(campaign)
    must_act_for(campaign.advertiser, by)
    if campaign.state != State.DRAFT:
        raise NotADraft("Only a draft gets another flight.")
    starts_at, ends_at = starts_at or campaign.starts_at, ends_at or campaign.ends_at
    _must_be_a_span(starts_at, ends_at)
    if starts_at < campaign.starts_at or ends_at > campaign.ends_at:
        raise EndsBeforeStart("A flight lies within its campaign.")
    _must_pay(campaign, budget=budget, bid=bid, daily=daily)
    _must_be_places(target)
    flight = Flight.objects.create(
        campaign=campaign,
        name=name,
        starts_at=starts_at,
        ends_at=ends_at,
        budget=budget,
        daily=daily,
        pays_for=pays_for,
        bid=bid,
        is_even=is_even,
        **{field: list(values) for field, values in vars(target).items()},
    )
    noted(campaign, by=by, what=f"flight {flight.pk} added", at=at)
    return flight


@transaction.atomic
def add_creative(*, flight: Flight, by: Member, at: datetime, **said: Any) -> Creative:
    """Give a flight something to show, once staff have approved it. Raises WrongFormat, WrongLink and CampaignOver.

    `said` are `format`, `title`, `text`, `media_url`, `link_url`, `duration_ms`, `topic`, `language` of Creative.
    """
    campaign = held_campaign(flight.campaign)
    must_act_for(campaign.advertiser, by)
    if campaign.state == State.ENDED:
        raise CampaignOver(f"{campaign} has ended.")
    _must_fit(said)
    creative = Creative.objects.create(flight=flight, made_at=at, **said)
    noted(campaign, by=by, what=f"creative {creative.pk} added", at=at)
    return creative


def _must_be_a_span(starts_at: datetime, ends_at: datetime) -> None:
    if ends_at <= starts_at:
        raise EndsBeforeStart("The end comes after the start.")


def _must_pay(campaign: Campaign, *, budget: int, bid: int, daily: int | None) -> None:
    if not campaign.is_paid:
        if budget or bid:
            raise NoBudget("The tenant's own ads cost nothing.")
        return
    if not 0 < budget <= MOST_BUDGET or (daily is not None and not 0 < daily <= budget):
        raise NoBudget(f"A budget is 1 to {MOST_BUDGET} minor units, and what is spent in a day a part of it.")
    if not 0 < bid <= budget:
        raise NoBid("A bid is something, and not more than the budget.")


def _must_be_places(target: Target) -> None:
    if unknown := set(target.placements) - set(PLACEMENTS):
        raise BadTarget(f"There is no placement {', '.join(sorted(unknown))}.")
    if not set(target.hours) <= set(range(24)):
        raise BadTarget("Hours are 0 to 23.")
    if unknown := set(target.countries) - COUNTRIES:
        raise BadTarget(f"There is no country {', '.join(sorted(unknown))}: ISO 3166 has two capital letters for each.")


def _must_fit(said: Mapping[str, Any]) -> None:
    form = said["format"]
    if form not in Creative.Format.values:
        raise WrongFormat(f"An ad is a video, an image or a card, not {form}.")
    if (form == Creative.Format.VIDEO) != bool(said.get("duration_ms")):
        raise WrongFormat("A video has a duration, and nothing else has.")
    if form != Creative.Format.CARD and not said.get("media_url"):
        raise WrongFormat("A video or an image says where it lies.")
    for name in ("media_url", "link_url"):
        _must_be_of_the_web(name, said.get(name, ""))


def _must_be_of_the_web(name: str, url: str) -> None:
    """Raise WrongLink for what a click would run instead of open: javascript:, data: and all that is not the web."""
    if not url and name == "media_url":
        return
    try:
        WEB(url)
    except ValidationError as error:
        raise WrongLink(f"The {name} is an address that begins with https:// or http://.") from error
