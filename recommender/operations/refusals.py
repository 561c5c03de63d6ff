"""Wanting no portrait, and wanting one again."""

from datetime import datetime

from django.db import transaction

from kpplatform.tenancy.models import Member
from recommender.models import Portrait, PortraitRefusal


@transaction.atomic
def refuse_portrait(*, viewer: Member, at: datetime) -> None:
    """Delete what was drawn of the viewer and draw, learn and count nothing of them from now on; twice is once."""
    PortraitRefusal.objects.get_or_create(viewer=viewer, defaults={"refused_at": at})
    Portrait.objects.filter(viewer=viewer).delete()


@transaction.atomic
def allow_portrait(*, viewer: Member) -> None:
    """Draw the viewer again, from the next refresh on."""
    PortraitRefusal.objects.filter(viewer=viewer).delete()
