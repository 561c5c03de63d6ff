"""Reacting to items. A counter moves when its row really came or went, in the same transaction."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from catalog.models import Comment, Item, Reaction
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.once import insert_once
from kpplatform.tenancy.scope import scope

AT_ONCE = 1_000

# A "not interested" is between the viewer and the feed: nobody counts it in public.
COUNTERS = {Reaction.Kind.LIKE: "likes", Reaction.Kind.SAVE: "saves", Reaction.Kind.SHARE: "shares"}


@transaction.atomic
def react(*, viewer: Member, item: Item, kind: Reaction.Kind, at: datetime) -> bool:
    """React to the item; tell whether that is new. Twice is once."""
    is_new = insert_once(Reaction, viewer_id=viewer.pk, item_id=item.pk, kind=kind, reacted_at=at)
    if is_new:
        _count(item, kind, 1)
    return is_new


@transaction.atomic
def take_back(*, viewer: Member, item: Item, kind: Reaction.Kind) -> bool:
    """Take the reaction back; tell whether there was one."""
    gone, _ = Reaction.objects.filter(viewer=viewer, item=item, kind=kind).delete()
    if gone:
        _count(item, kind, -1)
    return bool(gone)


@transaction.atomic
def recount(*, items: Sequence[int]) -> int:
    """Set these items' counters to the count of their rows; return how many items were wrong.

    The items are locked first, so that the count sees every row that has moved its counter and no other.
    """
    held = Item.objects.filter(pk__in=items).order_by("pk").select_for_update(no_key=True)
    ids = [item.pk for item in held.only("pk")]
    true = {
        counter: _counted(Reaction.objects.filter(kind=kind, item=OuterRef("pk"))) for kind, counter in COUNTERS.items()
    }
    true["comments"] = _counted(Comment.objects.filter(deleted_at=None, item=OuterRef("pk")))
    right = Q(**true)
    return Item.objects.filter(pk__in=ids).exclude(right).update(**true)


def recount_all(*, tenant: Tenant) -> int:
    """Recount all items, some at a time; return how many were wrong."""
    wrong = after = 0
    while True:
        with scope(tenant):
            some = list(Item.objects.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
            wrong += recount(items=some)
        if not some:
            return wrong
        after = some[-1]


def _count(item: Item, kind: Reaction.Kind, by: int) -> None:
    if counter := COUNTERS.get(kind):
        Item.objects.filter(pk=item.pk).update(**{counter: F(counter) + by})


def _counted(rows: QuerySet[Reaction] | QuerySet[Comment]) -> Coalesce:
    count = rows.order_by().values("item").values(count=Count("pk"))
    return Coalesce(Subquery(count, output_field=IntegerField()), 0)
