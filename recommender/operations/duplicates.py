"""Keeping which items say nearly the same."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from catalog.models import Item
from catalog.operations import rule_copies
from catalog.queries.access import is_live
from kpplatform.jobs.models import Job
from kpplatform.jobs.operations import enqueue
from recommender.models import AlikePair
from recommender.queries.duplicates import FIND
from recommender.queries.feed_settings import feed_settings

AT_ONCE = 2_000


@transaction.atomic
def ask_for_duplicates() -> Job | None:
    """Have a worker look for items that are alike; None when that is waiting to be done already."""
    return enqueue(FIND, queue="training", key=FIND)


@transaction.atomic
def keep_alike(*, pairs: Iterable[tuple[int, int, float]], at: datetime) -> int:
    """Write down pairs of ids, the smaller first, and their cosine in place of all that was found before."""
    AlikePair.objects.all().delete()
    found = [
        AlikePair(item_id=item, other_id=other, cosine=min(cosine, 1.0), found_at=at) for item, other, cosine in pairs
    ]
    AlikePair.objects.bulk_create(found, batch_size=AT_ONCE)
    rule_copies(items=_younger(at), at=at)
    return len(found)


def _younger(at: datetime) -> set[int]:
    """Return the younger of two that are published and so much alike that a page puts it last."""
    live = Item.objects.filter(is_live(at))
    alike = AlikePair.objects.filter(cosine__gte=feed_settings().alike, item__in=live, other__in=live)
    return set(alike.values_list("other", flat=True))
