"""What one viewer did, as models read it: worked out once a request, however many parts ask."""

from typing import Any

import numpy as np

from recommender.ml.arrays import Floats
from recommender.ml.interactions import Interactions
from recommender.ml.model import Model

THE_VIEWER = np.zeros(1, np.int32)  # a history is one viewer's: code 0


class History:
    """The events of one viewer, and where models of D dimensions see them."""

    def __init__(self, events: Interactions) -> None:
        self.events = events
        self._known: dict[int, Interactions] = {}
        self._vectors: dict[int, Floats | None] = {}

    def known_to(self, model: Model) -> Interactions:
        """Return the events whose items the model knows, in its codes."""
        if id(model) not in self._known:
            self._known[id(model)] = self.events.in_words_of(model.item_ids)
        return self._known[id(model)]

    def vector(self, model: Any) -> Floats | None:
        """Return the viewer's vector (D,) among the model's item vectors; None where it has none, or knows nothing."""
        if id(model) not in self._vectors:
            known = self.known_to(model) if hasattr(model, "vectors") else ()
            self._vectors[id(model)] = np.asarray(model.vectors(known, THE_VIEWER)[0]) if len(known) else None
        return self._vectors[id(model)]
