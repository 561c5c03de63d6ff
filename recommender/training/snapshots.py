"""A tenant's events as columns on disk: read from the database once, and from then on only what is new is added.

Between full readings, what happened more than `SETTLED_AFTER` before the last reading counts as settled: an event
that came later than that, a cleaning judged anew or a like taken back is seen by the next full reading. What is
younger is read again each time, so that for it a snapshot that was added to equals one that was read in full.

Columns are written block by block and mapped into memory: a hundred million events need no more than one block.
"""

import json
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

SETTLED_AFTER = timedelta(days=7)
READ_IN_FULL_EVERY = timedelta(days=6, hours=12)
BLOCK = 1_000_000  # rows copied at once
GIVEN_UP_AFTER_S = 86_400
FACTS = "snapshot.json"

Columns = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Snapshot:
    """A folder with a file per column, in no order."""

    folder: Path
    until: datetime  # what happened before is in it
    in_full_at: datetime  # when everything was read last
    recipe: str  # of what the columns mean
    rows: int

    @classmethod
    def newest(cls, place: Path) -> "Snapshot | None":
        """Return the snapshot of a place, if there is one that is whole."""
        for folder in sorted(place.glob("snapshot-*"), reverse=True):
            try:
                return cls._read(folder)
            except (OSError, ValueError, KeyError):
                shutil.rmtree(folder, ignore_errors=True)
        return None

    @classmethod
    def _read(cls, folder: Path) -> "Snapshot":
        facts = json.loads((folder / FACTS).read_text())
        times = {name: datetime.fromisoformat(facts[name]) for name in ("until", "in_full_at")}
        found = cls(folder=folder, recipe=facts["recipe"], rows=facts["rows"], **times)
        sizes = {name: np.dtype(kind).itemsize * found.rows for name, kind in facts["columns"].items()}
        if any((folder / name).stat().st_size != size for name, size in sizes.items()):
            raise ValueError(f"{folder} is cut off.")
        return found

    def columns(self, kinds: Mapping[str, type[np.generic]]) -> Columns:
        """Return the columns (N,), mapped into memory."""
        if not self.rows:
            return {name: np.zeros(0, kind) for name, kind in kinds.items()}
        return {name: np.memmap(self.folder / name, kind, "r") for name, kind in kinds.items()}

    def serves(self, *, until: datetime, recipe: str) -> bool:
        """Tell whether it can be added to: it means the same, is no newer, and not too old to be trusted."""
        fresh = until - self.in_full_at < READ_IN_FULL_EVERY
        return fresh and self.recipe == recipe and self.until <= until

    def settled(self, kinds: Mapping[str, type[np.generic]]) -> Iterator[Columns]:
        """Yield what counts as settled, block by block."""
        before, columns = self.settled_until.timestamp() * 1000, self.columns(kinds)
        for start in range(0, self.rows, BLOCK):
            kept = columns["at"][start : start + BLOCK] < before
            yield {name: column[start : start + BLOCK][kept] for name, column in columns.items()}

    @property
    def settled_until(self) -> datetime:
        """Return the moment from which on everything is read again, in whole milliseconds as the columns have it."""
        return (self.until - SETTLED_AFTER).replace(microsecond=0)


def write(
    place: Path,
    blocks: Iterable[Columns],
    *,
    kinds: Mapping[str, type[np.generic]],
    until: datetime,
    in_full_at: datetime,
    recipe: str,
) -> Snapshot:
    """Write blocks of rows into a snapshot that appears whole or not at all, in place of the one before."""
    half = place / f".{uuid.uuid4().hex}"
    half.mkdir(parents=True)
    rows = _append(half, blocks, kinds)
    facts: dict[str, Any] = {
        "until": until.isoformat(),
        "in_full_at": in_full_at.isoformat(),
        "recipe": recipe,
        "rows": rows,
        "columns": {name: np.dtype(kind).str for name, kind in kinds.items()},
    }
    (half / FACTS).write_text(json.dumps(facts))
    before = list(place.glob("snapshot-*"))
    folder = half.replace(place / f"snapshot-{until.timestamp():.0f}-{half.name[1:]}")
    for path in before:
        shutil.rmtree(path, ignore_errors=True)
    forget_old(place.glob(".*"))  # a younger one may be of another training of the tenant, which is writing it
    return Snapshot(folder=folder, until=until, in_full_at=in_full_at, recipe=recipe, rows=rows)


def forget_old(folders: Iterable[Path]) -> None:
    """Delete those folders in which nothing was written for so long that nobody goes on with them."""
    for path in folders:
        with suppress(FileNotFoundError):
            newest = max(of.stat().st_mtime for of in (path, *path.rglob("*")))
            if time.time() - newest > GIVEN_UP_AFTER_S:
                shutil.rmtree(path, ignore_errors=True)


def _append(folder: Path, blocks: Iterable[Columns], kinds: Mapping[str, type[np.generic]]) -> int:
    """Write the columns of all blocks into a file each, and return how many rows there are."""
    rows = 0
    with ExitStack() as opened:
        files = {name: opened.enter_context((folder / name).open("wb")) for name in kinds}
        for block in blocks:
            rows += len(block["at"])
            for name, kind in kinds.items():
                files[name].write(np.ascontiguousarray(block[name], kind).data)
    return rows
