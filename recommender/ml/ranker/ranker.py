"""A trained ranker as any process can run it: a table of what is told of items, and a program from features to heads.

Knows neither torch nor lightgbm. Both kinds are an ONNX program: trees read features alone, attention also the history.
Shapes: V items, n candidates, F features, T events of a history, H heads.
"""

from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime

from recommender.ml import folders
from recommender.ml.arrays import Floats, Longs
from recommender.ml.ranker.circumstances import UNKNOWN
from recommender.ml.ranker.facts import LONGEST_S, Asked, Items, Log
from recommender.ml.ranker.features import Scale
from recommender.ml.ranker.histories import LENGTH, histories
from recommender.ml.ranker.own import features_by
from recommender.ml.ranker.targets import CHANCES, HEADS, PLACES, QUANTILES
from recommender.ml.signals import Events

FAMILY = "ranker"
PROGRAM = "ranker.onnx"


@dataclass(frozen=True)
class Ranker:
    """What a fit leaves behind."""

    name: str  # boosted or attention
    items: Items
    scale: Scale
    table: Floats  # (V + 1, ·), see features.table
    learned_until: int  # milliseconds since the epoch
    program: bytes = field(repr=False)  # ONNX: features (n, F), and where asked for candidates and history → (n, H)

    def rank(self, events: Events, candidates: Longs, *, at: int, circumstance: int = UNKNOWN) -> Floats:
        """Return what a view of each candidate (n,), given by ids, would be like at a moment: (n, H) as in HEADS.

        `events` is one viewer's latest history, oldest or newest first: 200 events are read. The chance of a long view,
        a like, a follow and a purchase; quantiles of the seconds; where the view would stand among all, and among those
        of items as long. An item that the ranker does not know is judged by the viewer alone. What it would be watched
        on is told as in `circumstances`.
        """
        log = Log.gather(events, self.items)
        viewer = log.viewer[0] if len(log) else 0
        moment = np.full(len(candidates), at)
        on = np.full(len(candidates), circumstance, np.int8)
        asked = Asked(np.full(len(candidates), viewer), self.items.codes(candidates), moment, moment, on)
        told = features_by(self.table, log, self.items, self.scale, asked)
        return self.read(told, log, asked)

    def read(self, features: Floats, log: Log, asked: Asked) -> Floats:
        """Return what the program says of questions (n,) of one viewer whose features (n, F) are told: (n, H)."""
        inputs: dict[str, Any] = {"features": features[:, : self._width]}
        if self._attends:
            told = histories(log, asked.where(np.arange(1)), length=LENGTH)
            inputs |= {"candidate": asked.item, **told.inputs()}
        (raw,) = self._session.run(None, inputs)
        return said(raw)

    def save(self, folder: Path) -> None:
        """Write the ranker into an existing folder."""
        arrays = {f"items_{column.name}": getattr(self.items, column.name) for column in fields(Items)}
        arrays |= {"usual": self.scale.usual, "edges": self.scale.edges, "table": self.table}
        facts = {"family": FAMILY, "name": self.name, "learned_until": self.learned_until, "heads": HEADS}
        folders.write(folder, facts=facts, arrays=arrays)
        (folder / PROGRAM).write_bytes(self.program)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the ranker of a folder over mapped memory, its program ready. Raises ValueError for other heads."""
        facts = folders.facts_of(folder)
        if tuple(facts["heads"]) != HEADS:
            raise ValueError(f"{folder} foretells {facts['heads']}.")
        loaded = cls(
            name=facts["name"],
            items=Items(**{of.name: folders.array_of(folder, f"items_{of.name}") for of in fields(Items)}),
            scale=Scale(folders.array_of(folder, "usual"), folders.array_of(folder, "edges")),
            table=folders.array_of(folder, "table"),
            learned_until=facts["learned_until"],
            program=(folder / PROGRAM).read_bytes(),
        )
        loaded._session  # noqa: B018  a program that cannot be run is noticed here
        return loaded

    @cached_property
    def _session(self) -> Any:
        """Return the program with a thread of its own: requests run side by side, not each on all cores."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return onnxruntime.InferenceSession(self.program, options, providers=["CPUExecutionProvider"])

    @cached_property
    def _width(self) -> int:
        """Return how many features the program reads: one from before there were more reads the first ones."""
        width: int = next(of.shape[1] for of in self._session.get_inputs() if of.name == "features")
        return width

    @cached_property
    def _attends(self) -> bool:
        return len(self._session.get_inputs()) > 1


def said(raw: Floats) -> Floats:
    """Return what heads mean (n, H) by their raw numbers: a logistic for chances, the bounds of seconds and places."""
    told = np.array(raw, np.float32)
    for place, head in enumerate(HEADS):
        if head in CHANCES:
            told[:, place] = 1 / (1 + np.exp(-told[:, place]))
        else:
            told[:, place] = told[:, place].clip(0, 1 if head in PLACES else LONGEST_S)
    quantiles = [HEADS.index(head) for head in QUANTILES]
    told[:, quantiles] = np.sort(told[:, quantiles], axis=1)  # quantiles do not cross
    return told
