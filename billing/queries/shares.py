"""Who shares what with whom."""

from django.db.models import F, Q, QuerySet

from billing.models import Affiliate, AffiliateTerms, Collaboration, LineShare
from kpplatform.tenancy.models import Member


def collaborations_of(member: Member) -> QuerySet[Collaboration]:
    """Return what the member's creator shares with others, and others with them; staff see all. Newest first."""
    rows = Collaboration.objects.select_related("owner", "creator").order_by("-pk")
    return rows if member.runs_the_tenant else rows.filter(Q(owner__member=member) | Q(creator__member=member))


def affiliates_seen_by(member: Member) -> QuerySet[Affiliate]:
    """Return the member's own code and whom it recruited; staff see all. Newest first."""
    rows = Affiliate.objects.select_related("creator", "recruiter").order_by("-pk")
    own = Q(creator__member=member) | Q(recruiter__creator__member=member)
    return rows if member.runs_the_tenant else rows.filter(own)


def affiliate_offers() -> QuerySet[AffiliateTerms]:
    """Return what creators leave to who brings buyers now, newest first."""
    return AffiliateTerms.objects.filter(ends_at=None).select_related("creator").order_by("-pk")


def shares_of(member: Member) -> QuerySet[LineShare]:
    """Return the parts of the member's creator of shared lines, newest first; staff see all."""
    rows = LineShare.objects.select_related("line__order", "creator").order_by("-pk")
    rows = rows.annotate(currency=F("line__order__currency"), paid_at=F("line__order__paid_at"))
    return rows if member.runs_the_tenant else rows.filter(creator__member=member)
