"""The space that a version's items lie in: vectors of the model, and of what it does not know yet by the cold part.

Shapes: V items of the model, n items asked for, C items placed by what is told of them, D dimensions.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np

from recommender.ml.arrays import Floats, Longs, common
from recommender.ml.latent_cosine import unit
from recommender.ml.model import Model
from recommender.serving.bundle import COLD, Bundle, vectors_of
from recommender.serving.catalogue import Catalogue
from recommender.serving.page import Offer
from recommender.serving.scan import Bounds, Scan, largest, largest_within

MOST_COLD = 1_000  # the newest items that the model does not know
ROWS_AT_ONCE = 10_000
NEIGHBOURS = 300  # more than a page needs: some were met
MOST_KEPT = 2_000


@dataclass(frozen=True)
class Space:
    """Where items lie. Without a model that has vectors nothing lies anywhere: D is 0."""

    model: Model | None
    scan: Scan | None = None  # of the model's vectors, where they are many
    cold_items: Longs = field(default_factory=lambda: np.zeros(0, np.int64))  # (C,) sorted
    cold_offers: tuple[Offer, ...] = ()  # the same
    cold_texts: tuple[str, ...] = ()
    cold_vectors: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32))  # (C, D)
    neighbours: dict[tuple[int, ...], Longs] = field(default_factory=dict)  # that were asked for, by codes

    @classmethod
    def of(cls, bundle: Bundle, catalogue: Catalogue, before: "Space | None" = None) -> Self:
        """Return the space of the bundle's first model that has one, or of the one that its cold part is for.

        What stood in the space before is not placed again.
        """
        known = [model for model in bundle.models() if vectors_of(model) is not None]
        model = next((of for of in known if bundle.cold is None or of.name == bundle.cold.name), None)
        scan = bundle.scans.get(id(model))
        if model is None or bundle.cold is None:
            return cls(model, scan)
        places = _unknown(model, catalogue)
        placed = bundle.breakers[COLD].call(lambda: _placed(bundle.cold, catalogue, places, before), otherwise=None)
        if placed is None:
            return cls(model, scan)
        offers, texts = catalogue.offers(places), tuple(catalogue.texts[place] for place in places.tolist())
        return cls(model, scan, catalogue.items[places], tuple(offers), texts, placed)

    @cached_property
    def lengths(self) -> Floats:
        """Return the lengths of the model's vectors (V,), 1 for those of length 0, NaN for those that have none."""
        vectors = vectors_of(self.model)
        assert vectors is not None
        starts = range(0, len(vectors), ROWS_AT_ONCE)
        parts = [np.linalg.norm(vectors[start : start + ROWS_AT_ONCE], axis=1) for start in starts]
        lengths = np.concatenate([np.zeros(0, np.float32), *parts])
        lengths[~np.isfinite(lengths)] = np.nan
        return np.asarray(np.where(lengths == 0, 1, lengths), np.float32)

    @cached_property
    def _cold_directions(self) -> Floats:
        return np.nan_to_num(unit(self.cold_vectors))

    def near(self, codes: tuple[int, ...]) -> Longs:
        """Return the codes of the items nearest by cosine to the mean direction of these, the nearest first.

        They are kept: a viewer who scrolls on without liking anything asks for the same again.
        """
        known = self.neighbours.get(codes)
        if known is None:
            vectors = vectors_of(self.model)
            assert vectors is not None
            rows = list(codes)
            middle = (vectors[rows] / self.lengths[rows, None]).mean(0)  # (D,)
            known = self._nearest(middle)
            if len(self.neighbours) >= MOST_KEPT:
                self.neighbours.clear()
            self.neighbours[codes] = known
        return known

    def _nearest(self, middle: Floats) -> Longs:
        vectors = vectors_of(self.model)
        assert vectors is not None
        if self.scan is None or not np.isfinite(middle).all():
            return largest((vectors @ middle) / self.lengths, NEIGHBOURS)
        low, high = self.scan.bounds(middle)
        bounds = Bounds(low / self.lengths, high / self.lengths)
        return largest_within(bounds, lambda codes: (vectors[codes] @ middle) / self.lengths[codes], NEIGHBOURS)

    def directions(self, items: Longs) -> Floats:
        """Return the directions (n, D) of items, zeros for those that lie nowhere."""
        vectors = vectors_of(self.model)
        if vectors is None:
            return np.zeros((len(items), 0), np.float32)
        assert self.model is not None
        found = np.zeros((len(items), vectors.shape[1]), np.float32)
        codes, theirs = common(self.model.item_ids, items)
        lengths = self.lengths[codes]
        is_told = ~np.isnan(lengths)
        found[theirs[is_told]] = vectors[codes[is_told]] / lengths[is_told, None]
        if len(self.cold_items) and len(theirs) < len(items):
            codes, theirs = common(self.cold_items, items)
            found[theirs] = self._cold_directions[codes]
        return found

    @property
    def nbytes(self) -> int:
        return self.cold_vectors.nbytes + 4 * len(self.model.item_ids if self.model else ())


def _unknown(model: Model, catalogue: Catalogue) -> Longs:
    """Return the places of the newest free items that the model does not know, in the order of their ids."""
    known, _ = common(catalogue.items, model.item_ids)
    is_unknown = catalogue.is_free.copy()
    is_unknown[known] = False
    places = np.flatnonzero(is_unknown)
    newest = np.argsort(-catalogue.published[places], kind="stable")[:MOST_COLD]
    return np.sort(places[newest])


def _placed(cold: Any, catalogue: Catalogue, places: Longs, before: Space | None) -> Floats:
    """Return the vectors (C, D) of items by what is told of them."""
    known = dict(zip(before.cold_items.tolist(), range(len(before.cold_items)), strict=True)) if before else {}
    vectors = np.zeros((len(places), cold.out.shape[1]), np.float32)
    missing = []
    for row, place in enumerate(places.tolist()):
        at = known.get(int(catalogue.items[place]))
        if before and at is not None and before.cold_texts[at] == catalogue.texts[place]:
            vectors[row] = before.cold_vectors[at]
        else:
            missing.append(row)
    if missing:
        told = [catalogue.told(place) for place in places[missing].tolist()]
        titles, tags = zip(*told, strict=True)
        vectors[missing] = cold.vectors(titles=titles, tags=tags, creators=catalogue.creators[places[missing]])
    return vectors
