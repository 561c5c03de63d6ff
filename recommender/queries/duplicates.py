"""Which items were found to say nearly the same."""

from django.db.models import Q, QuerySet

from recommender.models import AlikePair


def alike_items(*, item: int | None = None, at_least: float = 0.0) -> QuerySet[AlikePair]:
    """Return the pairs that are at least so much alike, the most alike first; with `item`, those it is in."""
    found = AlikePair.objects.filter(cosine__gte=at_least)
    found = found if item is None else found.filter(Q(item=item) | Q(other=item))
    return found.select_related("item__creator", "other__creator").order_by("-cosine", "-pk")
