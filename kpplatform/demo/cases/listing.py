"""Write a list for every viewer, block by block, so that memory is flat. Shapes: U viewers, B of a block, k places."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from kpplatform.demo.cases.telling import Told
from recommender.ml.arrays import Floats, Ints
from recommender.ml.interactions import Interactions
from recommender.ml.model import Scorer
from recommender.ml.ranking import ranked

GROUP = 100_000  # viewers whose lists are written at once
SCHEMA = pa.schema([("viewer", pa.int32()), ("place", pa.int16()), ("item", pa.int32())])


@dataclass(frozen=True)
class Offering:
    """A model that knows viewers by what it learned of them, and offers nothing that is closed."""

    model: Scorer
    told: Told

    def score(self, data: Interactions, viewers: Ints) -> Floats:
        """Return the scores (B, V)."""
        scores = np.array(self.model.score(self.told.learned, viewers), np.float32)
        scores[:, self.told.closed] = -np.inf
        return scores


@dataclass(frozen=True)
class Listed:
    """How the writing went."""

    viewers: int
    short: int  # viewers with fewer items than a list has places


def write_lists(model: Scorer, told: Told, *, places: int, to: Path | None) -> Listed:
    """Make a list of the best items for every viewer, nothing closed and nothing met, and write it where asked.

    A row is (viewer, place from 1 on, item); both are rows of the generated world.
    """
    viewers = short = 0
    with pq.ParquetWriter(to, SCHEMA, compression="zstd") if to else nullcontext() as file:
        for block, pages in _groups(model, told, places):
            viewers += len(block)
            short += int((pages < 0).any(axis=1).sum())
            if file:
                file.write_table(_table(block, pages))
    return Listed(viewers, short)


def _groups(model: Scorer, told: Told, places: int) -> Iterator[tuple[Ints, Ints]]:
    """Yield viewers (B,) and their lists (B, k), many blocks of scores at once."""
    everyone = np.arange(told.met.shape[0], dtype=np.int32)
    kept: list[tuple[Ints, Ints]] = []
    for block in ranked(Offering(model, told), data=told.met, viewers=everyone, k=places):
        kept.append((block.viewers, block.pages))
        if sum(len(viewers) for viewers, _ in kept) >= GROUP:
            yield _joined(kept)
            kept.clear()
    if kept:
        yield _joined(kept)


def _joined(kept: list[tuple[Ints, Ints]]) -> tuple[Ints, Ints]:
    return np.concatenate([viewers for viewers, _ in kept]), np.concatenate([pages for _, pages in kept])


def _table(viewers: Ints, pages: Ints) -> pa.Table:
    filled = pages.ravel() >= 0
    place = np.tile(np.arange(1, pages.shape[1] + 1, dtype=np.int16), len(pages))
    columns = np.repeat(viewers, pages.shape[1])[filled], place[filled], pages.ravel()[filled]
    return pa.table([pa.array(column) for column in columns], schema=SCHEMA)
