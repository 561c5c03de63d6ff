"""The best items of all for a viewer, exactly. Shapes: V items of a model, k places."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from typing import Any, Self

import numpy as np

from recommender.ml.arrays import Floats, Longs, common
from recommender.ml.model import Model
from recommender.serving.catalogue import Catalogue
from recommender.serving.history import THE_VIEWER, History
from recommender.serving.page import Offer
from recommender.serving.scan import Scan, largest, largest_within


class NoScoresError(Exception):
    """A model that says nothing of any item that could be shown but NaN."""


@dataclass(frozen=True)
class Index:
    """A model beside the catalogue of the moment: what it knows and what of it is on show.

    A code is an item's place in the model.
    """

    model: Model
    creators: Longs  # (V,) −1 for what is not in the catalogue
    closed: Floats  # (V,) 0, minus infinity for what is not on show or not free to watch
    scan: Scan | None = None  # of the model's vectors, where they are many

    @classmethod
    def of(cls, model: Model, catalogue: Catalogue, scan: Scan | None = None) -> Self:
        """Return the model's items as the catalogue has them now."""
        creators = np.full(len(model.item_ids), -1)
        closed = np.full(len(model.item_ids), -np.inf, np.float32)
        codes, places = common(model.item_ids, catalogue.items)
        creators[codes] = catalogue.creators[places]
        closed[codes[catalogue.is_free[places]]] = 0
        return cls(model, creators, closed, scan)

    def best(self, history: History, *, hidden: Collection[int], granted: Longs, k: int) -> list[Offer]:
        """Return the k best items on show that are not hidden, best first and ties by id.

        Items in `granted` are open to this viewer. Nothing, when the model knows none of the history. Items whose score
        is NaN are left out; raises NoScoresError when nothing else is left.
        """
        known = history.known_to(self.model)
        if not len(known):
            return []
        opened, _ = common(self.model.item_ids, granted)
        opened = opened[self.creators[opened] >= 0]
        unwanted, _ = common(self.model.item_ids, np.fromiter(hidden, np.int64, len(hidden)))
        vector = history.vector(self.model) if self.scan else None
        if self.scan and vector is not None and np.isfinite(vector).all():
            codes, scores = self._scanned(self.scan, vector, opened, unwanted, k)
        else:
            scores = np.array(self.model.score(known, THE_VIEWER)[0])
            self._open(scores, opened, unwanted)
            codes = largest(scores, k)
        if not len(codes) and np.isnan(scores).any():
            raise NoScoresError(f"{self.model.name} scores with NaN.")
        return list(map(Offer, self.model.item_ids[codes].tolist(), self.creators[codes].tolist()))

    def _scanned(self, scan: Scan, vector: Floats, opened: Longs, unwanted: Longs, k: int) -> tuple[Longs, Floats]:
        """Return the codes of the same by the viewer's vector (D,), and of every item (V,) what it scores at least."""
        of: Any = self.model
        bounds = scan.bounds(vector)
        for side in bounds:
            np.add(side, of.item_bias, out=side)
            self._open(side, opened, unwanted)
        codes = largest_within(bounds, lambda codes: of.item_vectors[codes] @ vector + of.item_bias[codes], k)
        return codes, bounds.low

    def _open(self, scores: Floats, opened: Longs, unwanted: Longs) -> None:
        """Put what this viewer may not watch, or does not want, behind everything (V,)."""
        of_opened = scores[opened]
        scores += self.closed
        scores[opened] = of_opened
        scores[unwanted] = -np.inf

    def offers(self, codes: Longs, *, hidden: Collection[int], granted: Longs, k: int) -> list[Offer]:
        """Return the first k of items given by codes that may be shown."""
        items, creators = self.model.item_ids[codes], self.creators[codes]
        is_open = (self.closed[codes] == 0) | (np.isin(items, granted) & (creators >= 0))
        found = map(Offer, items[is_open].tolist(), creators[is_open].tolist())
        return list(islice((offer for offer in found if offer.item not in hidden), k))

    @property
    def nbytes(self) -> int:
        return self.creators.nbytes + self.closed.nbytes
