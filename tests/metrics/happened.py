"""Puts events where a test wants them, with the least said. Call inside a scope."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from catalog.models import Item, Watch
from kpplatform.metrics import operations
from kpplatform.metrics.queries import reports
from kpplatform.tenancy.models import Member
from recommender.models import Impression
from tests.conftest import NOON

DAY = NOON.date()


def watch(viewer: Member, item: Item, *, at: datetime = NOON, **said: Any) -> Watch:
    """Store half a minute of a video of one, from the feed, received at its end."""
    told = {"watch_ms": 30_000, "duration_ms": 60_000, "source": "feed", "received_at": at + timedelta(seconds=30)}
    return Watch.objects.create(event_id=uuid.uuid4(), viewer=viewer, item=item, started_at=at, **told | said)


def show(viewer: Member, *items: Item, at: datetime = NOON, source: str = "model") -> None:
    page = uuid.uuid4()
    Impression.objects.bulk_create(
        Impression(viewer=viewer, item=item, page=page, position=place, propensity=1, source=source, shown_at=at)
        for place, item in enumerate(items)
    )


def look(viewer: Member, *, at: datetime = NOON, source: str = "feed", **of: Any) -> int:
    """Record one visit as the door does; `of` says of which creator, item or product."""
    told = operations.Look(uuid.uuid4(), at, source=source, **of)
    return operations.record_visits(viewer=viewer, looks=[told], at=at)


def counted(*days: int) -> None:
    """Count the day of noon, or those so many days after it."""
    for after in days or (0,):
        operations.count_day(day=DAY + timedelta(days=after), at=NOON + timedelta(days=after, hours=12))


def once(viewer: Member, item: Item) -> None:
    """Let the viewer look at what the item costs and at whose it is, and count that day: a row of every table here."""
    look(viewer, item=item.pk)
    look(viewer, creator=item.creator.handle)
    counted()
    report = reports.report_of({}, creator=item.creator, week=DAY - timedelta(days=DAY.weekday()), at=NOON)
    report.save()
