"""Campaigns and what became of their offers."""

from django.db.models import QuerySet

from billing.ads.models import Advertiser, Campaign, CampaignChange, Creative, Flight, Offer
from kpplatform.tenancy.models import Member


def advertisers_seen_by(member: Member) -> QuerySet[Advertiser]:
    """Return who advertises: all to staff, to others themselves; the newest first."""
    rows = Advertiser.objects.select_related("member").order_by("-pk")
    return rows if member.runs_the_tenant else rows.filter(member=member)


def campaigns_of(member: Member) -> QuerySet[Campaign]:
    """Return the campaigns: all to staff, to others their own; the newest first."""
    rows = Campaign.objects.select_related("advertiser").order_by("-pk")
    return rows if member.runs_the_tenant else rows.filter(advertiser__member=member)


def flights_of(campaign: Campaign) -> QuerySet[Flight]:
    """Return the flights of a campaign, the first one first."""
    return Flight.objects.filter(campaign=campaign).order_by("pk")


def creatives_seen_by(member: Member) -> QuerySet[Creative]:
    """Return what is to be shown: all to staff, to others their own; the newest first."""
    rows = Creative.objects.select_related("topic", "flight__campaign__advertiser").order_by("-pk")
    return rows if member.runs_the_tenant else rows.filter(flight__campaign__advertiser__member=member)


def changes_of_campaign(campaign: Campaign) -> QuerySet[CampaignChange]:
    """Return who changed a campaign, the latest first."""
    return CampaignChange.objects.filter(campaign=campaign).select_related("by").order_by("-pk")


def billed_offers(*, campaign: int | None = None, viewer: int | None = None) -> QuerySet[Offer]:
    """Return what was billed, of a campaign or to a viewer if they are given, the latest first."""
    rows = Offer.objects.filter(billed_at__isnull=False)
    rows = rows if campaign is None else rows.filter(campaign=campaign)
    return (rows if viewer is None else rows.filter(viewer=viewer)).order_by("-pk")


def held_offers() -> QuerySet[Offer]:
    """Return what looks odd and nobody has decided on, the oldest first."""
    held = Offer.objects.exclude(odd="").filter(decided_at=None, billed_at=None, lapsed_at=None)
    return held.select_related("campaign", "flight", "viewer").order_by("pk")
