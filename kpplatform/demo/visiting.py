"""Looks at profiles and at what things cost, beside a generated history; then every day is counted."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from uuid import NAMESPACE_OID, uuid5

from django.db.models import F

from billing.models import OrderLine
from catalog.models import Item, Source, Watch
from creators.models import Follow
from kpplatform.metrics import operations, queries
from kpplatform.metrics.models import Visit
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope

AT_ONCE = 2_000
EVERY = 23  # one watch of so many ends with a look at whose it is; of those that do, one in three at a course of theirs
SOURCES = (*[Source.FEED] * 5, Source.PROFILE, Source.PROFILE, Source.SEARCH, Source.COURSE, Source.SHARE)
SOON = timedelta(minutes=4)  # before a follow or an order


def visit() -> None:
    """Let viewers look at creators before they follow them, at things before they buy them, and at some for nothing."""
    found = _looks()
    while looks := list(islice(found, AT_ONCE)):
        Visit.objects.bulk_create(looks, ignore_conflicts=True)


def count(*, tenant: Tenant, at: datetime, progress: Callable[[float], None]) -> None:
    """Count the days that are due, each in a transaction of its own."""
    with scope(tenant):
        due = queries.days_due(at=at)
    for done, day in enumerate(due, start=1):
        with scope(tenant):
            operations.count_day(day=day, at=at)
        progress(done / len(due))


def _looks() -> Iterator[Visit]:
    for pk, viewer, creator, at in Follow.objects.order_by("pk").values_list("pk", "viewer", "creator", "followed_at"):
        yield _look(f"follow {pk}", viewer, at - SOON, page=Visit.Page.PROFILE, creator_id=creator)
    lines = OrderLine.objects.exclude(item=None, product=None).order_by("pk")
    about = ("pk", "order__viewer", "item", "product", "order__placed_at")
    for pk, viewer, item, product, at in lines.values_list(*about):
        of = {"item_id": item} if item else {"product_id": product}
        yield _look(f"order {pk}", viewer, at - SOON, page=Visit.Page.PRODUCT, **of)
    yield from _for_nothing()


def _for_nothing() -> Iterator[Visit]:
    """Yield looks that follow some of the watches."""
    courses = dict(Item.objects.filter(kind=Item.Kind.COURSE).order_by("-pk").values_list("creator", "pk"))
    watches = Watch.objects.filter(quarantine="").alias(turn=F("pk") % EVERY).filter(turn=0).order_by("pk")
    for pk, viewer, creator, at in watches.values_list("pk", "viewer", "item__creator", "started_at"):
        yield _look(f"watch {pk}", viewer, at, page=Visit.Page.PROFILE, creator_id=creator)
        if creator in courses and pk // EVERY % 3 == 0:
            yield _look(f"course {pk}", viewer, at, page=Visit.Page.PRODUCT, item_id=courses[creator])


def _look(name: str, viewer: int, at: datetime, **of: object) -> Visit:
    event_id = uuid5(NAMESPACE_OID, name)
    told = {"event_id": event_id, "source": SOURCES[event_id.int % len(SOURCES)], "visited_at": at, "received_at": at}
    return Visit(viewer_id=viewer, **told, **of)
