"""What was ruled of items, and what was said to that."""

from django.db.models import Prefetch, Q, QuerySet

from catalog.models import Appeal, Ruling
from creators.models import Creator
from kpplatform.tenancy.models import Member


def rulings_for(viewer: Member) -> QuerySet[Ruling]:
    """Return what was ruled of the viewer's own items, or of everybody's for staff, the latest first."""
    seen = Q() if viewer.runs_the_tenant else Q(item__creator__member=viewer)
    return _with_appeals(Ruling.objects.filter(seen))


def rulings_of(creator: Creator) -> QuerySet[Ruling]:
    """Return what was ruled of the creator's items, the latest first."""
    return _with_appeals(Ruling.objects.filter(item__creator=creator))


def untold_rulings(*, most: int) -> list[Ruling]:
    """Return rulings of which their creators were not told, the oldest first."""
    waiting = Ruling.objects.filter(told_at=None).select_related("item__creator__member").order_by("pk")
    return list(waiting[:most])


def untold_answers(*, most: int) -> list[Appeal]:
    """Return answered appeals of which their creators were not told, the oldest first."""
    waiting = Appeal.objects.filter(told_at=None, answered_at__isnull=False)
    return list(waiting.select_related("ruling__item__creator__member").order_by("pk")[:most])


def no_copies() -> set[int]:
    """Return the items of which staff found that they are no copies."""
    upheld = Appeal.objects.filter(is_upheld=True, ruling__rule=Ruling.Rule.COPY)
    return set(upheld.values_list("ruling__item", flat=True))


def _with_appeals(rulings: QuerySet[Ruling]) -> QuerySet[Ruling]:
    appeals = Prefetch("appeals", Appeal.objects.order_by("pk"))
    return rulings.select_related("item__creator", "by").prefetch_related(appeals).order_by("-pk")
