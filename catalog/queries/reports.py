"""What viewers say should not be there."""

from django.db.models import QuerySet

from catalog.models import Report
from kpplatform.tenancy.models import Member


def reports_by(viewer: Member) -> QuerySet[Report]:
    """Return what the viewer has reported, the latest first."""
    return Report.objects.filter(viewer=viewer).order_by("-reported_at", "-pk")
