"""Which coupons there are."""

from django.db.models import QuerySet

from billing.models import Coupon
from kpplatform.tenancy.models import Member


def coupons_of(member: Member) -> QuerySet[Coupon]:
    """Return the coupons that the member may withdraw, newest first: a creator's own, staff the tenant's."""
    coupons = Coupon.objects.select_related("creator", "made_by").order_by("-pk")
    return coupons if member.runs_the_tenant else coupons.filter(creator__member=member)
