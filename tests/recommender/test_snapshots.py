"""What was read once is not read again, and what is added to equals what is read in full."""

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from catalog.models import Watch
from catalog.queries import interactions_between
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.places import tenant_folder
from recommender.ml.interactions import Interactions
from recommender.training import reading
from recommender.training.reading import everything, fingerprint, read
from recommender.training.snapshots import READ_IN_FULL_EVERY, SETTLED_AFTER, Snapshot
from tests.recommender import planted

DAY = timedelta(days=1)


def columns(data: Interactions) -> dict[str, np.ndarray]:
    """Return the events by their ids, in one order whatever order they came in."""
    told = {
        "viewer": data.viewer_ids[data.viewer],
        "item": data.item_ids[data.item],
        **{name: getattr(data, name) for name in ("at", "weight", "positive", "watched", "watch_ms")},
    }
    order = np.lexsort((told["weight"], told["item"], told["at"], told["viewer"]))
    return {name: column[order] for name, column in told.items()}


def equal(ours: Interactions, theirs: Interactions) -> bool:
    mine, others = columns(ours), columns(theirs)
    return all(np.array_equal(mine[name], others[name], equal_nan=name == "watched") for name in mine)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[datetime | None]:
    """Return from when on the database was asked, each time it was."""
    times: list[datetime | None] = []
    streamed = interactions_between

    def noted(since: datetime | None, until: datetime) -> Iterator[Any]:
        times.append(since)
        return streamed(since, until)

    monkeypatch.setattr(reading, "interactions_between", noted)
    return times


@pytest.mark.usefixtures("in_school")
def test_a_snapshot_that_was_added_to_equals_one_that_was_read_in_full() -> None:
    planted.busy_world()
    now = timezone.now()

    for days in (5, 3, 1, 0):
        added, snapshot = read(until=now - days * DAY, in_full=False)

    full = everything(until=now)
    assert (len(added), snapshot.rows, snapshot.in_full_at) == (60 * 14, 60 * 14, now - 5 * DAY)
    assert equal(added, full)
    assert fingerprint(added) == fingerprint(full)


@pytest.mark.usefixtures("in_school")
def test_only_what_is_not_settled_is_asked_for_again(asked: list[datetime | None]) -> None:
    planted.busy_world()
    now = timezone.now().replace(microsecond=0)

    read(until=now - DAY, in_full=False)
    read(until=now, in_full=False)

    assert asked == [None, now - DAY - SETTLED_AFTER]


@pytest.mark.usefixtures("in_school")
def test_a_training_that_is_taken_up_again_reads_nothing(asked: list[datetime | None]) -> None:
    planted.busy_world()
    now = timezone.now()
    first, _ = read(until=now, in_full=False)
    Watch.objects.all().delete()

    again, _ = read(until=now, in_full=False)

    assert len(asked) == 1
    assert equal(first, again)


@pytest.mark.usefixtures("in_school")
def test_a_late_watch_is_added_where_it_is_not_settled_and_else_by_the_full_reading() -> None:
    planted.busy_world(viewers=2)
    now = timezone.now()
    someone = Watch.objects.order_by("pk")[0]
    read(until=now, in_full=False)
    for days in (6, 20):
        planted.watch(someone.viewer, someone.item, at=now - days * DAY)

    assert len(read(until=now + DAY / 2, in_full=False)[0]) == 28 + 1
    assert len(read(until=now + READ_IN_FULL_EVERY, in_full=False)[0]) == 28 + 2


@pytest.mark.usefixtures("in_school")
@pytest.mark.parametrize("name", ["at", "snapshot.json"])
def test_a_snapshot_that_was_cut_off_is_read_anew(name: str, asked: list[datetime | None]) -> None:
    planted.busy_world()
    now = timezone.now()
    _, snapshot = read(until=now - DAY, in_full=False)
    path = snapshot.folder / name
    path.write_bytes(path.read_bytes()[:-4])

    data, _ = read(until=now, in_full=False)

    assert asked == [None, None]
    assert equal(data, everything(until=now))


@pytest.mark.usefixtures("in_school")
def test_one_snapshot_is_kept_and_half_written_ones_are_not() -> None:
    planted.busy_world(viewers=2)
    half = tenant_folder("training") / ".half"
    half.mkdir(parents=True)
    now = timezone.now()
    os.utime(half, times=(0, (now - 2 * DAY).timestamp()))

    for days in (2, 1, 0):
        _, snapshot = read(until=now - days * DAY, in_full=False)

    assert [path.name for path in tenant_folder("training").iterdir()] == [snapshot.folder.name]


@pytest.mark.usefixtures("in_school")
def test_what_another_training_is_writing_is_left_to_it() -> None:
    planted.busy_world(viewers=2)
    half = tenant_folder("training") / ".of-another"
    half.mkdir(parents=True)

    read(until=timezone.now(), in_full=False)

    assert half.is_dir()


def test_a_tenant_without_events_has_an_empty_snapshot(in_school: Tenant) -> None:
    data, snapshot = read(until=timezone.now(), in_full=False)

    assert (len(data), snapshot.rows) == (0, 0)
    assert Snapshot.newest(tenant_folder("training")) == snapshot
    assert in_school.pk
