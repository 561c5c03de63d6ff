"""Keeping which items say nearly the same."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from kpplatform.jobs.models import Job
from kpplatform.jobs.operations import enqueue
from recommender.models import AlikePair

FIND = "recommender.tasks.find_duplicates"
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
    return len(found)
