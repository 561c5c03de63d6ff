"""The best items of all for a viewer, exactly. Shapes: V items of a model, k places."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

import numpy as np

from recommender.ml.arrays import Floats, Longs, common
from recommender.ml.interactions import Interactions
from recommender.ml.model import Model
from recommender.serving.catalogue import Catalogue
from recommender.serving.page import Offer

THE_VIEWER = np.zeros(1, np.int32)  # a history is one viewer's: code 0
ROWS = 32  # scores in a block


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

    @classmethod
    def of(cls, model: Model, catalogue: Catalogue) -> Self:
        """Return the model's items as the catalogue has them now."""
        creators = np.full(len(model.item_ids), -1)
        closed = np.full(len(model.item_ids), -np.inf, np.float32)
        codes, places = common(model.item_ids, catalogue.items)
        creators[codes] = catalogue.creators[places]
        closed[codes[catalogue.is_free[places]]] = 0
        return cls(model, creators, closed)

    def best(self, history: Interactions, *, hidden: Collection[int], granted: Longs, k: int) -> list[Offer]:
        """Return the k best items on show that are not hidden, best first and ties by id.

        Items in `granted` are open to this viewer. Nothing, when the model knows none of the history. Items whose score
        is NaN are left out; raises NoScoresError when nothing else is left.
        """
        scores = self.scores(history)
        return [] if scores is None else self.best_by(scores, hidden=hidden, granted=granted, k=k)

    def best_by(self, scores: Floats, *, hidden: Collection[int], granted: Longs, k: int) -> list[Offer]:
        """Return the same by any scores (V,), which are changed. Raises NoScoresError."""
        opened, _ = common(self.model.item_ids, granted)
        opened = opened[self.creators[opened] >= 0]
        of_opened = scores[opened]
        scores += self.closed
        scores[opened] = of_opened
        unwanted, _ = common(self.model.item_ids, np.fromiter(hidden, np.int64, len(hidden)))
        scores[unwanted] = -np.inf
        codes = largest(scores, k)
        if not len(codes) and np.isnan(scores).any():
            raise NoScoresError(f"{self.model.name} scores with NaN.")
        return list(map(Offer, self.model.item_ids[codes].tolist(), self.creators[codes].tolist()))

    def offers(self, codes: Longs, *, hidden: Collection[int], granted: Longs, k: int) -> list[Offer]:
        """Return the first k of items given by codes that may be shown."""
        items, creators = self.model.item_ids[codes], self.creators[codes]
        is_open = (self.closed[codes] == 0) | (np.isin(items, granted) & (creators >= 0))
        found = map(Offer, items[is_open].tolist(), creators[is_open].tolist())
        return [offer for offer in found if offer.item not in hidden][:k]

    def scores(self, history: Interactions) -> Floats | None:
        """Return the score of every item (V,) by one viewer's history; None when the model knows none of it."""
        known = history.in_words_of(self.model.item_ids)
        return self.model.score(known, THE_VIEWER)[0] if len(known) else None

    @property
    def nbytes(self) -> int:
        return self.creators.nbytes + self.closed.nbytes


def largest(scores: Floats, k: int) -> Longs:
    """Return the places of the k largest of scores (V,), best first, ties by place; −inf and NaN are left out.

    At least k scores reach the k-th largest of the maxima of blocks, so the k best are among those that do: hardly
    more than k, found without partitioning all V.
    """
    blocks = len(scores) // ROWS
    least = np.finfo(np.float32).min
    if blocks > k:
        maxima = np.fmax.reduce(scores[: blocks * ROWS].reshape(ROWS, blocks), axis=0)
        maxima[np.isnan(maxima)] = -np.inf
        least = max(least, np.partition(maxima, blocks - k)[blocks - k])
    found = np.flatnonzero(scores >= least)
    return found[np.argsort(-scores[found], kind="stable")][:k]
