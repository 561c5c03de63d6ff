"""A trained sequence model as any process can run it: item vectors in mapped memory, the encoder as an ONNX program.

The score of item j is h · e_j + b_j, where h is what the encoder says after a viewer's history, and b_j how likely the
item is at all. Knows no torch. Shapes: B viewers, T places, V items, D dimensions.
"""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from recommender.ml import folders
from recommender.ml.arrays import Floats, Ints, Longs
from recommender.ml.interactions import Interactions
from recommender.ml.sequence.histories import Histories, batches

FAMILY = "sequence"
PROGRAM = "encoder.onnx"
ARRAYS = ("item_ids", "item_vectors", "item_bias")


@dataclass(frozen=True)
class SequenceModel:
    """What a fit leaves behind."""

    name: str  # of the model in `models.MODELS`
    item_ids: Longs  # (V,) sorted
    item_vectors: Floats  # (V, D)
    item_bias: Floats  # (V,)
    length: int  # most places of a history that are read
    program: bytes = field(repr=False)  # ONNX: (vectors, gaps, waits, lengths and, where asked for, relations) → (B, D)

    def score(self, data: Interactions, viewers: Ints) -> Floats:
        """Return the score of every item for viewers (B,) by their history in `data`: (B, V)."""
        return np.asarray(self.vectors(data, viewers) @ self.item_vectors.T + self.item_bias)

    def vectors(self, data: Interactions, viewers: Ints) -> Floats:
        """Return a vector for each viewer (B, D): zeros for who has wanted nothing yet."""
        said = np.zeros((len(viewers), self.item_vectors.shape[1]), np.float32)
        for places, told in batches(data, viewers, length=self.length):
            said[places] = self._read(told)
        return said

    def vector(self, codes: Ints, at: Longs, *, asked_at: int = -1) -> Floats:
        """Return the vector (D,) of one viewer who wanted the items of these codes at these moments (n,), in order.

        `asked_at` is the moment of the request; all are milliseconds, and −1 is unknown.
        """
        if not len(codes):
            return np.zeros(self.item_vectors.shape[1], np.float32)
        items, moments = codes[None, -self.length :], np.maximum.accumulate(at[-self.length :])[None]
        told = Histories(items, moments, np.array([items.shape[1]], np.int32), np.array([asked_at]))
        return np.asarray(self._read(told)[0])

    def save(self, folder: Path) -> None:
        """Write the model into an existing folder."""
        facts = {"family": FAMILY, "name": self.name, "length": self.length}
        folders.write(folder, facts=facts, arrays={name: getattr(self, name) for name in ARRAYS})
        (folder / PROGRAM).write_bytes(self.program)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the model of a folder over mapped memory, its program ready to run."""
        facts = folders.facts_of(folder)
        arrays = {name: folders.array_of(folder, name) for name in ARRAYS}
        loaded = cls(name=facts["name"], length=facts["length"], program=(folder / PROGRAM).read_bytes(), **arrays)
        loaded._session  # noqa: B018  a program that cannot be run is noticed here
        return loaded

    @cached_property
    def _session(self) -> Any:
        """Return the program with a thread of its own: requests run side by side, not each on all cores."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return onnxruntime.InferenceSession(self.program, options, providers=["CPUExecutionProvider"])

    @cached_property
    def _pairwise(self) -> bool:
        return "relations" in {asked.name for asked in self._session.get_inputs()}

    def _read(self, told: Histories) -> Floats:
        """Return what the encoder says after each history (B, D)."""
        vectors: NDArray[np.float32] = np.asarray(self.item_vectors[told.items])  # (B, T, D)
        (said,) = self._session.run(None, {"vectors": vectors, **told.inputs(pairwise=self._pairwise)})
        return np.asarray(np.where(told.lengths[:, None] > 0, said, 0), np.float32)
