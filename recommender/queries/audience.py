"""What is known of a creator's audience, and how much of what is wanted there is."""

from datetime import date, datetime

from django.db.models import Count, Q, Sum

from catalog.models import LIVE_STATES, Item
from creators.models import Creator
from recommender.models import Audience, NoisyAnswer


def audience(creator: Creator, *, days: int) -> Audience | None:
    """Return the viewers of the creator within so many days, counted exactly."""
    return Audience.objects.select_related("run").filter(creator=creator, days=days).first()


def narrower_audiences(creator: Creator, *, days: int) -> list[Audience]:
    """Return the creator's audiences of fewer days: their viewers are all among those of so many."""
    return list(Audience.objects.filter(creator=creator, days__lt=days).order_by("days"))


def answered(creator: Creator, *, period: date, days: int, epsilon: float) -> NoisyAnswer | None:
    """Return what was told already when the same was asked."""
    return NoisyAnswer.objects.filter(creator=creator, period=period, days=days, epsilon=epsilon).first()


def spent(creator: Creator, *, period: date) -> float:
    """Return Σ ε of what was told of the creator's audience in this period."""
    total = NoisyAnswer.objects.filter(creator=creator, period=period).aggregate(Sum("epsilon"))
    return float(total["epsilon__sum"] or 0.0)


def supply(creator: Creator, *, at: datetime) -> dict[str, tuple[int, int]]:
    """Return how many items on show are about each topic, and how many of them are the creator's."""
    live = Item.objects.filter(state__in=LIVE_STATES, published_at__lte=at, topic__isnull=False)
    counted = (
        live.order_by().values("topic__slug").annotate(all=Count("pk"), own=Count("pk", filter=Q(creator=creator)))
    )
    return {row["topic__slug"]: (row["all"], row["own"]) for row in counted}
