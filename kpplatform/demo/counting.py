"""After rows were written in bulk: the counters."""

from collections.abc import Iterator

from catalog import operations as catalog
from catalog.models import Item
from creators import operations as creators
from creators.models import Creator
from kpplatform.tenancy.owned import TenantOwned

AT_ONCE = 5_000


def count_everything() -> None:
    """Set the counters of the scope's tenant to the count of their rows."""
    for items in _slices(Item):
        catalog.recount(items=items)
    for theirs in _slices(Creator):
        creators.recount_followers(creators=theirs)


def _slices(model: type[TenantOwned]) -> Iterator[list[int]]:
    ids = list(model.objects.order_by("pk").values_list("pk", flat=True))
    return (ids[first : first + AT_ONCE] for first in range(0, len(ids), AT_ONCE))
