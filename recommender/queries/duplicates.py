"""Which items were found to say nearly the same."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q, QuerySet

from catalog.models import LIVE_STATES, Item
from catalog.queries import no_copies
from kpplatform.jobs.models import Job
from recommender.ml.duplicates import ALIKE, pairs, rows_of
from recommender.models import AlikePair

FIND = "recommender.tasks.find_duplicates"
MOST_COMPARED = 200  # others whose titles say as much


class Copied(NamedTuple):
    """What was there before an item and says nearly the same."""

    title: str
    cosine: float


def alike_items(*, item: int | None = None, at_least: float = 0.0) -> QuerySet[AlikePair]:
    """Return the pairs that are at least so much alike, the most alike first; with `item`, those it is in."""
    found = AlikePair.objects.filter(cosine__gte=at_least)
    found = found if item is None else found.filter(Q(item=item) | Q(other=item))
    return found.select_related("item__creator", "other__creator").order_by("-cosine", "-pk")


def copied(items: Sequence[Item], *, at: datetime) -> dict[int, Copied]:
    """Return of which of the creator's items something older says nearly the same, and what is most like it.

    Found by night, of all; and at once, of what has their titles in its own. What others do not show is not told of,
    nor what staff found to be no copy.
    """
    settled = no_copies()
    items = [item for item in items if item.pk not in settled]
    if not items:
        return {}
    told = AlikePair.objects.filter(other__in=items, item__in=_told_of(items, at)).select_related("item")
    found = [(pair.other_id, Copied(pair.item.title, pair.cosine)) for pair in told]
    return dict(sorted([*found, *_at_once(items, at)], key=lambda row: row[1].cosine))


def looked_for_copies_at() -> datetime | None:
    """Return when all items were last compared with each other."""
    done = Job.objects.filter(name=FIND, state=Job.State.DONE).order_by("-finished_at")
    return done.values_list("finished_at", flat=True).first()


def _told_of(items: Sequence[Item], at: datetime) -> QuerySet[Item]:
    creators = {item.creator_id for item in items}
    return Item.objects.filter(Q(creator__in=creators) | Q(state__in=LIVE_STATES, published_at__lte=at))


def _at_once(items: Sequence[Item], at: datetime) -> list[tuple[int, Copied]]:
    """Compare the items with those whose titles contain theirs."""
    named = Q(pk__in=[])
    for item in items:
        named |= Q(title_lower__contains=item.title.lower(), pk__lt=item.pk)
    others = list(_told_of(items, at).filter(named).select_related("topic").order_by("-pk")[:MOST_COMPARED])
    everything = list({item.pk: item for item in (*others, *items)}.values())
    rows = rows_of([of.title for of in everything], [_tags(of) for of in everything])
    alike, asked = pairs(rows, alike=ALIKE), {item.pk for item in items}
    found = []
    for one, other, cosine in zip(alike.one.tolist(), alike.other.tolist(), alike.cosine.tolist(), strict=True):
        older, younger = sorted((everything[one], everything[other]), key=lambda of: of.pk)
        if younger.pk in asked:
            found.append((younger.pk, Copied(older.title, min(cosine, 1.0))))
    return found


def _tags(item: Item) -> list[str]:
    return [*item.tags, item.topic.slug] if item.topic else list(item.tags)
