"""What goes together, as far as it may be told."""

from django.db.models import Q, QuerySet

from creators.models import Creator
from recommender.models import Rule


def rules(*, k: int, of: Creator | None = None) -> QuerySet[Rule]:
    """Return the rules that hold for at least k viewers, the strongest first; with `of`, about their own items."""
    told = Rule.objects.filter(viewers__gte=k).select_related("given", "then").order_by("-lift", "-pk")
    return told.filter(Q(given__creator=of) | Q(then__creator=of)) if of else told
