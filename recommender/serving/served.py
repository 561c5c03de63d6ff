"""A version as a web process serves it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, NamedTuple, Self

import numpy as np

from recommender.ml.arrays import Floats, Longs
from recommender.ml.interactions import Interactions
from recommender.ml.rank_fusion import fused
from recommender.serving.bundle import COLD, RANKER, Bundle, retrieval, vectors_of
from recommender.serving.catalogue import Catalogue
from recommender.serving.history import History
from recommender.serving.page import Offer
from recommender.serving.ranker import Context, rank, worth
from recommender.serving.retrieval import Index
from recommender.serving.scan import largest
from recommender.serving.space import Space

LIKED_LAST = 3  # items that `similar` starts from


class NoWorthError(Exception):
    """A ranker that foretells nothing but NaN."""


class Found(NamedTuple):
    """What models offer, best first."""

    best: list[Offer]
    similar: list[Offer]


@dataclass(frozen=True)
class Asked:
    """How many items are asked for, of which models by which weights, and what of all is open to the viewer."""

    weights: Mapping[str, float]  # by the model's name
    hidden: Collection[int]
    granted: Longs
    k: int
    similar: int


@dataclass(frozen=True)
class Served:
    """The parts of a version beside the catalogue of the moment. Each part is asked through its breaker."""

    version: int
    bundle: Bundle
    indexes: Mapping[str, Index]  # by the model's name, the one that was judged best first
    space: Space
    weights: Mapping[str, float] = field(default_factory=dict)  # of the models, as the version has learnt them

    @classmethod
    def of(
        cls,
        version: int,
        bundle: Bundle,
        catalogue: Catalogue,
        before: "Served | None" = None,
        *,
        weights: Mapping[str, float],
    ) -> Self:
        """Return the version with its items as the catalogue has them now; `before` is the same version earlier."""
        scans = bundle.scans
        indexes = {name: Index.of(of, catalogue, scans.get(id(of))) for name, of in bundle.retrieval.items()}
        return cls(version, bundle, indexes, Space.of(bundle, catalogue, before.space if before else None), weights)

    def best(self, history: History, asked: "Asked") -> "Found":
        """Return the best items for the history by all models, and those most like what the viewer wanted last.

        Each model's best (see Index.best) are fused by the models' weights. A model without a weight is not asked, and
        one that fails or is slow is left out.
        """
        main = self.bundle.main.name
        lists, similar = [], list[Offer]()
        for name, index in self.indexes.items():
            of_model = asked.k if asked.weights[name] else 0
            of_similar = asked.similar if name == main else 0
            if of_model or of_similar:
                find = partial(self._of, index, history, asked, of_model, of_similar)
                found = self.bundle.breakers[retrieval(name)].call(find, otherwise=Found([], []))
                lists.append((asked.weights[name], found.best))
                similar += found.similar
        return Found(lists[0][1] if len(lists) == 1 else fused(lists)[: asked.k], similar)

    def _of(self, index: Index, history: History, asked: "Asked", of_model: int, of_similar: int) -> Found:
        """Return a model's best so many items and so many similar ones, by one call that fails as a whole."""
        open_to = {"hidden": asked.hidden, "granted": asked.granted}
        best = index.best(history, k=of_model, **open_to) if of_model else []  # type: ignore[arg-type]
        if not of_similar:
            return Found(best, [])
        wanted = history.known_to(index.model)
        wanted = wanted.where(wanted.positive).latest(LIKED_LAST)
        return Found(best, self._like(index, wanted, of_similar, open_to) if len(wanted) else [])

    def _like(self, index: Index, wanted: Interactions, k: int, open_to: dict[str, Any]) -> list[Offer]:
        """Return the k items nearest by cosine to the mean direction of the wanted.

        Where the model has no vectors it is asked what it says of these alone.
        """
        vectors = vectors_of(index.model)
        if vectors is None or self.space.model is not index.model:
            return index.best(History(wanted), k=k, **open_to)
        near = self.space.near(tuple(wanted.item.tolist()))
        return index.offers(near, k=k, **open_to)

    def unmet(self, history: History, *, hidden: Collection[int], k: int) -> list[Offer]:
        """Return the k best items that the models do not know, by what is told of them; nothing when that fails."""
        if not self.space.cold_offers:
            return []

        def find() -> list[Offer]:
            viewer = history.vector(self.space.model)
            if viewer is None:
                return []
            found = largest(self.space.cold_vectors @ viewer, k + len(hidden)).tolist()
            offers = (self.space.cold_offers[place] for place in found)
            return list(islice((offer for offer in offers if offer.item not in hidden), k))

        return self.bundle.breakers[COLD].call(find, otherwise=[])

    def worth(self, context: Context, items: Longs, *, at: int) -> Floats | None:
        """Return what a view of each item (n,) is worth to the viewer; None without a ranker, or while it fails."""
        if self.bundle.ranker is None:
            return None

        def ask() -> Floats:
            told = worth(rank(self.bundle.ranker, context, items, at=at))
            if np.isnan(told).any():
                raise NoWorthError("The ranker foretells with NaN.")
            return told

        return self.bundle.breakers[RANKER].call(ask, otherwise=None)

    @property
    def nbytes(self) -> int:
        scans = sum(scan.nbytes for scan in self.bundle.scans.values())
        return self.bundle.nbytes + scans + self.space.nbytes + sum(index.nbytes for index in self.indexes.values())
