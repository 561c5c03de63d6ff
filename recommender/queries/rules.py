"""What goes together, as far as it may be told."""

from django.db.models import Q, QuerySet

from creators.models import Creator
from recommender.models import Rule


def rules(*, k: int, of: Creator | None = None, item: int | None = None) -> QuerySet[Rule]:
    """Return the rules that hold for at least k viewers, the strongest first.

    With `of`, about the creator's own items alone; with `item`, what goes with this one: a bundle's candidates.
    """
    told = Rule.objects.filter(viewers__gte=k).select_related("given", "then").order_by("-lift", "-pk")
    told = told.filter(given=item) if item is not None else told
    return told.filter(Q(given__creator=of) | Q(then__creator=of)) if of else told
