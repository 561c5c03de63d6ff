"""What is offered beside single items."""

from datetime import datetime

from django.db.models import Q, QuerySet

from billing.models import OfferChange, Product
from kpplatform.tenancy.models import Member


def products_seen_by(member: Member, *, at: datetime, kind: str = "", creator: str = "") -> QuerySet[Product]:
    """Return what is sold now, and what the member has ever offered (staff: the tenant), newest first."""
    seen = Q() if member.runs_the_tenant else Q(withdrawn_at=None) | Q(withdrawn_at__gt=at) | Q(creator__member=member)
    asked = {"kind": kind, "creator__handle": creator}
    fitting = Product.objects.filter(seen, **{name: value for name, value in asked.items() if value})
    return fitting.select_related("creator").prefetch_related("contents").order_by("-pk")


def changes_of(product: Product) -> QuerySet[OfferChange]:
    """Return who changed what of the product, the latest first."""
    return OfferChange.objects.filter(product=product).select_related("by").order_by("-pk")
