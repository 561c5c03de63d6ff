"""The best items of all for a viewer's vector, exactly. Shapes: V items, D factors."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from typing import Self

import numpy as np

from recommender.ml.arrays import Floats, Longs, common
from recommender.ml.factors import Factors
from recommender.serving.catalogue import Catalogue
from recommender.serving.page import Offer


@dataclass(frozen=True)
class Index:
    """A model beside the catalogue of the moment: what it knows and what of it is on show.

    A code is an item's place in the model.
    """

    model: Factors
    creators: Longs  # (V,) −1 for what is not in the catalogue
    open_bias: Floats  # (V,) the item's bias, minus infinity for what is not free to watch

    @classmethod
    def of(cls, model: Factors, catalogue: Catalogue) -> Self:
        """Return the model's items as the catalogue has them now."""
        creators = np.full(len(model.item_ids), -1)
        open_bias = np.full(len(model.item_ids), -np.inf, np.float32)
        codes, places = common(model.item_ids, catalogue.items)
        creators[codes] = catalogue.creators[places]
        free = catalogue.is_free[places]
        open_bias[codes[free]] = model.item_bias[codes[free]]
        return cls(model, creators, open_bias)

    def best(self, vector: Floats, *, hidden: Collection[int], granted: Longs, k: int) -> list[Offer]:
        """Return the k best items on show that are not hidden, best first and ties by id.

        Codes in `granted` are open to this viewer.
        """
        scores = self.model.item_vectors @ vector  # (V,)
        opened = scores[granted] + self.model.item_bias[granted]
        scores += self.open_bias
        scores[granted] = np.where(self.creators[granted] < 0, -np.inf, opened)
        last = len(scores) - k - len(hidden)
        top = np.argpartition(scores, last)[last:] if last > 0 else np.arange(len(scores))
        top = top[np.lexsort((top, -scores[top]))]
        top = top[np.isfinite(scores[top])]
        found = zip(self.model.item_ids[top].tolist(), self.creators[top].tolist(), strict=True)
        return list(islice((Offer(item, creator) for item, creator in found if item not in hidden), k))

    @property
    def nbytes(self) -> int:
        return self.creators.nbytes + self.open_bias.nbytes
