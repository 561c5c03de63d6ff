"""What was watched, and what was set aside."""

from django.db.models import Count, QuerySet

from catalog.models import Watch
from kpplatform.tenancy.models import Member

CLEAN = Watch.Quarantine.CLEAN


def watches_of(viewer: Member) -> QuerySet[Watch]:
    """Return what the viewer watched, the latest first."""
    return Watch.objects.filter(viewer=viewer, quarantine=CLEAN).select_related("item").order_by("-started_at", "-pk")


def quarantined() -> dict[str, int]:
    """Return how many watches each cleaning rule has set aside."""
    set_aside = Watch.objects.exclude(quarantine=CLEAN).order_by().values_list("quarantine")
    return dict(set_aside.annotate(Count("pk")))
