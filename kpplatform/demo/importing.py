"""A folder of interaction data becomes a tenant's rows. What was imported before is left as it is."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.db import models
from numpy.typing import NDArray

from catalog.models import Access, Item, Reaction, Source, Watch
from creators.models import Creator, Follow
from kpplatform.demo.copying import Column, Ids, check_each_statement, copy, lists, times
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from recommender.ml.reading import INTERACTIONS, ITEMS, read_events
from recommender.ml.signals import KINDS

ROWS_AT_ONCE = 200_000
SOURCE = "import"
NOBODY = 0
"""The creator of items whose creator the data does not name."""
# A flag on a watch and an event of its own kind mean the same.
REACTIONS = {
    Reaction.Kind.LIKE: ("liked", "like"),
    Reaction.Kind.SHARE: ("shared", "share"),
    Reaction.Kind.NOT_INTERESTED: ("disliked", "dislike"),
}
BOUGHT = ("enrol", "purchase")

Progress = Callable[[float], None]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Known:
    """Which number in the data is which row of the tenant: sorted numbers (n,) and their ids (n,)."""

    numbers: Ids
    ids: Ids

    @classmethod
    def of(cls, model: type[models.Model]) -> "Known":
        """Return the imported rows of the scope's tenant."""
        rows = model.objects.exclude(external_id=None).order_by("external_id").values_list("external_id", "pk")  # type: ignore[attr-defined]
        pairs = np.array(list(rows.iterator(50_000)), np.int64).reshape(-1, 2)
        return cls(numbers=pairs[:, 0], ids=pairs[:, 1])

    def __call__(self, numbers: Ids) -> Ids:
        """Return the ids (m,) of the numbers (m,), each of which must be known."""
        return self.ids[np.searchsorted(self.numbers, numbers)]


def import_folder(*, tenant: Tenant, folder: Path, progress: Progress) -> int:
    """Import a folder in one transaction; return how many watches were new. Raises BrokenData."""
    events = read_events(folder)  # the whole file is found sound before the first row is written
    bought = np.isin(events.kind, [KINDS.index(kind) for kind in BOUGHT])
    with scope(tenant):
        check_each_statement()
        numbers = np.unique(events.viewer)
        copy(Member, {"external_id": numbers, "role": [Member.Role.VIEWER] * len(numbers)})
        _write_items(
            _described(folder, np.unique(events.item)),
            courses=np.unique(events.item[bought]),
            since=int(events.at.min()),
        )
        return _write_events(folder, progress)


def _described(folder: Path, met: Ids) -> pa.Table:
    """Return a row for every item: those that are described, and those that were only met."""
    path = folder / ITEMS
    described = pq.read_table(path) if path.exists() else pa.table({"item": pa.array([], pa.int64())})
    only_met = np.setdiff1d(met, described["item"].to_numpy())
    added = pa.table({"item": pa.array(only_met, described.schema.field("item").type)})
    return pa.concat_tables([described, added], promote_options="default")


def _write_items(items: pa.Table, *, courses: Ids, since: int) -> None:
    number = items["item"].to_numpy().astype(np.int64)
    named = _column(items, "creator")
    creator = named.fill_null(NOBODY).to_numpy().astype(np.int64)
    _write_creators(np.unique(creator))
    is_course = np.isin(number, courses)
    began = pa.array(np.full(len(number), since)).cast(pa.timestamp("ms", "UTC"))
    published = pc.coalesce(_column(items, "published_on", pa.date32()).cast(pa.timestamp("ms", "UTC")), began)
    duration = _column(items, "duration_ms").to_numpy(zero_copy_only=False)
    titles = _column(items, "title", pa.string()).to_pylist()
    tags = _column(items, "tags", pa.string()).to_pylist()
    copy(
        Item,
        {
            "external_id": number,
            "kind": np.where(is_course, Item.Kind.COURSE.value, Item.Kind.VIDEO.value),
            "creator_id": Known.of(Creator)(creator),
            "title": [title or f"#{name}" for title, name in zip(titles, number.tolist(), strict=True)],
            "tags": lists([[tag[:40] for tag in (line or "").split(",") if tag] for line in tags]),
            "duration_ms": pa.array(duration, pa.int64(), mask=~(duration > 0)),
            "state": [Item.State.PUBLISHED] * len(number),
            "published_at": published,
            "updated_at": published,
            "is_free": ~is_course,
        },
    )


def _write_creators(numbers: Ids) -> None:
    copy(
        Creator,
        {
            "external_id": numbers,
            "handle": [f"creator-{number}" for number in numbers.tolist()],
            "name": [f"Creator {number}" for number in numbers.tolist()],
            "links": ["[]"] * len(numbers),
        },
    )


def _write_events(folder: Path, progress: Progress) -> int:
    viewers, items = Known.of(Member), Known.of(Item)
    creators = dict(Item.objects.exclude(external_id=None).values_list("pk", "creator_id"))
    space = hashlib.sha256(folder.resolve().name.encode()).hexdigest()[:16]
    watches = row = 0
    with pq.ParquetFile(folder / INTERACTIONS) as file:
        for batch in file.iter_batches(ROWS_AT_ONCE):
            events = pa.Table.from_batches([batch])
            met = Met(
                events,
                viewers(events["viewer"].to_numpy().astype(np.int64)),
                items(events["item"].to_numpy().astype(np.int64)),
            )
            watches += _write_watches(met, space=space, first=row)
            _write_reactions(met, creators)
            row += len(batch)
            progress(row / file.metadata.num_rows)
    return watches


@dataclass(frozen=True)
class Met:
    """Some events, with the tenant's ids (n,) of their viewers and items."""

    events: pa.Table
    viewer: Ids
    item: Ids

    def of_kind(self, *kinds: str) -> Flags:
        """Return which events (n,) are of one of these kinds."""
        found: Flags = pc.is_in(self.events["kind"].cast(pa.string()), pa.array(kinds)).to_numpy()
        return found

    def flagged(self, flag: str) -> Flags:
        """Return which events (n,) carry this flag."""
        found: Flags = _column(self.events, flag, pa.bool_()).fill_null(False).to_numpy(zero_copy_only=False)
        return found

    def pairs(self, chosen: Flags) -> dict[str, Column]:
        """Return who met what, for the chosen events."""
        return {"viewer_id": self.viewer[chosen], "item_id": self.item[chosen]}

    def at(self, chosen: Flags) -> Column:
        return times(self.events["at"].to_numpy().astype(np.int64)[chosen])


def _write_watches(met: Met, *, space: str, first: int) -> int:
    """Write the watches; where only the order is known, duration and time watched are 0."""
    chosen = met.of_kind("watch")
    rows = (np.flatnonzero(chosen) + first).tolist()
    return copy(
        Watch,
        {
            "event_id": [f"{space}{row:016x}" for row in rows],
            **met.pairs(chosen),
            "started_at": met.at(chosen),
            "received_at": met.at(chosen),
            "watch_ms": _column(met.events, "watch_ms").fill_null(0).to_numpy()[chosen],
            "duration_ms": _column(met.events, "duration_ms").fill_null(0).to_numpy()[chosen],
            "source": [Source.UNTOLD.value] * len(rows),
        },
    )


def _write_reactions(met: Met, creators: dict[int, int]) -> None:
    for kind, (flag, own_kind) in REACTIONS.items():
        chosen = met.flagged(flag) | met.of_kind(own_kind)
        columns = {**met.pairs(chosen), "kind": [kind.value] * int(chosen.sum()), "reacted_at": met.at(chosen)}
        copy(Reaction, columns)
    followed = met.flagged("followed") | met.of_kind("follow")
    creator = np.array([creators[item] for item in met.item[followed].tolist()], np.int64)
    copy(Follow, {"viewer_id": met.viewer[followed], "creator_id": creator, "followed_at": met.at(followed)})
    bought = met.of_kind(*BOUGHT)
    sources = [SOURCE] * int(bought.sum())
    copy(Access, {**met.pairs(bought), "source": sources, "starts_at": met.at(bought)})


def _column(table: pa.Table, name: str, kind: Any = None) -> Any:
    """Return a column, or nulls where the data has none."""
    kind = kind or pa.int64()
    if name not in table.column_names:
        return pa.nulls(len(table), kind)
    return table[name].cast(kind).combine_chunks()
