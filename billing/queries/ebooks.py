"""Who has copies of which e-books."""

from django.db.models import QuerySet

from billing.models import EbookCopy
from kpplatform.tenancy.models import Member


def copies_of(viewer: Member) -> QuerySet[EbookCopy]:
    """Return the e-books that the viewer has bought, newest first."""
    return EbookCopy.objects.filter(viewer=viewer).select_related("product", "viewer", "line").order_by("-pk")
