"""Judging every watch anew: after a rule has changed, or to show that the verdicts at the door were right."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from catalog import cleaning
from catalog.cleaning import Viewing, minute_of
from catalog.models import Watch
from catalog.operations.watching import hold
from kpplatform.jobs.running import report
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.queries import people
from kpplatform.tenancy.scope import scope

VIEWERS_AT_ONCE = 200
READ_AT_ONCE = 5_000
WRITTEN_AT_ONCE = 5_000


class Row(NamedTuple):
    """A stored watch, as far as judging it again needs."""

    pk: int
    viewer: int
    item: int
    started_at: datetime
    received_at: datetime
    watch_ms: int
    duration_ms: int
    quarantine: str
    owner: int | None

    def viewing(self) -> Viewing:
        """Return what the rules look at."""
        is_own = self.owner == self.viewer
        return Viewing(self.item, self.started_at, self.received_at, self.watch_ms, self.duration_ms, is_own)


COLUMNS = [
    *("pk", "viewer_id", "item_id", "started_at", "received_at", "watch_ms", "duration_ms", "quarantine"),
    "item__creator__member_id",
]


def clean_again(*, tenant: Tenant) -> dict[str, int]:
    """Judge all of the tenant's watches anew; return how many moved to which verdict.

    What was watched without consent is left as it was judged at the door: its viewers are not known apart.
    Each step is a transaction of its own over some viewers, in the order of their ids, and needs the memory of one
    viewer's busiest minute. Safe to repeat and to interrupt.
    """
    moved: Counter[str] = Counter()
    after, last = 0, _last_viewer(tenant)
    while after < last:
        with scope(tenant):
            ids = people().filter(pk__gt=after, pk__lte=last).order_by("pk").values_list("pk", flat=True)
            viewers = list(ids[:VIEWERS_AT_ONCE])
            moved.update(_clean(viewers))
        after = viewers[-1] if viewers else last
        report(after / last)
    return dict(moved)


def _last_viewer(tenant: Tenant) -> int:
    with scope(tenant):
        return people().order_by("pk").values_list("pk", flat=True).last() or 0


def _clean(viewers: Sequence[int]) -> Counter[str]:
    hold(viewers)
    rows = (
        Watch.objects.filter(viewer__in=viewers)
        .order_by("viewer", "started_at", "pk")
        .values_list(*COLUMNS)
        .iterator(chunk_size=READ_AT_ONCE)
    )
    moved: Counter[str] = Counter()
    by_verdict: dict[str, list[int]] = {}
    for pk, verdict in _changed(Row(*row) for row in rows):
        ids = by_verdict.setdefault(verdict, [])
        ids.append(pk)
        moved[verdict] += 1
        if len(ids) >= WRITTEN_AT_ONCE:
            Watch.objects.filter(pk__in=by_verdict.pop(verdict)).update(quarantine=verdict)
    for verdict, ids in by_verdict.items():
        Watch.objects.filter(pk__in=ids).update(quarantine=verdict)
    return moved


def _changed(rows: Iterable[Row]) -> Iterator[tuple[int, str]]:
    """Yield the rows that get another verdict, and which. A viewer's minute is judged in the order of receipt."""
    for (_, start), group in groupby(rows, lambda row: (row.viewer, minute_of(row.started_at))):
        minute = sorted(group)
        verdicts = cleaning.judged((row.viewing() for row in minute), {start: set()})
        for row, verdict in zip(minute, verdicts, strict=True):
            if verdict != row.quarantine:
                yield row.pk, verdict
