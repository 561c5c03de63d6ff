"""What viewers were told by campaigns, and who is to be told what."""

from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from billing.models import Coupon
from kpplatform.tenancy.models import Member
from recommender.models import Addressee, Campaign, Notice, NoticeRefusal
from recommender.queries.campaigns import to_reach

MOST_A_WEEK = 2  # notices to one viewer, of all campaigns together
WEEK = timedelta(days=7)


def notices_of(viewer: Member) -> QuerySet[Notice]:
    """Return what the viewer was told and has not dismissed, the newest first."""
    return Notice.objects.filter(viewer=viewer, dismissed_at=None).select_related("campaign__coupon").order_by("-pk")


def notices_refused_at(viewer: Member) -> datetime | None:
    """Return since when the viewer wants to be told nothing, if they do not."""
    refusal = NoticeRefusal.objects.filter(viewer=viewer).first()
    return refusal.refused_at if refusal else None


def going_on(*, at: datetime) -> list[Campaign]:
    """Return the campaigns whose days are not over or that were not read since they were, the oldest first."""
    begun = Campaign.objects.select_related("coupon").filter(begun_at__gt=at - timedelta(days=120)).order_by("pk")
    return [of for of in begun if of.read_at is None or of.read_at < of.begun_at + timedelta(days=of.days)]


def to_be_told(campaign: Campaign, *, at: datetime) -> QuerySet[Addressee]:
    """Return whom the platform is still to tell, by id; none whom enough was told.

    Nobody once the campaign's days are over, or the coupon that it offers.
    """
    if not campaign.is_sent_here or at >= campaign.begun_at + timedelta(days=campaign.days):
        return Addressee.objects.none()
    coupon = Q(withdrawn_at=None) & (Q(ends_at=None) | Q(ends_at__gt=at))
    if campaign.coupon_id and not Coupon.objects.filter(coupon, pk=campaign.coupon_id).exists():
        return Addressee.objects.none()
    theirs = Notice.objects.filter(viewer=OuterRef("viewer"), campaign__isnull=False)
    lately = theirs.filter(sent_at__gt=at - WEEK).order_by().values("viewer").annotate(many=Count("pk"))
    return to_reach(campaign).exclude(
        Exists(theirs.filter(campaign=campaign)) | Exists(lately.filter(many__gte=MOST_A_WEEK))
    )


def told(campaigns: list[int]) -> dict[int, tuple[int, int]]:
    """Return of each campaign how many were told, and how many of them read it."""
    rows = Notice.objects.filter(campaign__in=campaigns).order_by().values_list("campaign")
    return {of: (many, read) for of, many, read in rows.annotate(Count("pk"), Count("read_at"))}
