"""Maximal marginal relevance: the next item is relevant and unlike every item that stands already.

mmr(i) = (1 − λ) · relevance(i) − λ · max over placed j of cos(i, j): "The Use of MMR, Diversity-Based Reranking for
Reordering Documents and Producing Summaries" (Carbonell and Goldstein, 1998), section 2. Shapes: N candidates, D
dimensions, S lists of relevance.
"""

import numpy as np

from recommender.ml.arrays import Floats


class Mmr:
    """Candidates at unit vectors (N, D), zeros where nothing is told of one, beside what was placed so far."""

    def __init__(self, vectors: Floats, *, diversity: float) -> None:
        self.vectors, self.diversity = vectors, np.float32(diversity)
        self.nearest = np.zeros(len(vectors), np.float32)  # (N,) the largest cosine with what was placed

    def scores(self, relevance: Floats) -> Floats:
        """Return what to place the largest of (..., N), given the relevance (..., N) of each candidate."""
        return np.asarray(self.weighed(relevance) + self.apart())

    def weighed(self, relevance: Floats) -> Floats:
        """Return the part of the scores that stays the same whatever was placed (..., N)."""
        return np.asarray((1 - self.diversity) * relevance)

    def apart(self) -> Floats:
        """Return the other part (N,): what being unlike all that was placed is worth."""
        return np.asarray(-self.diversity * self.nearest)

    def place(self, vector: Floats) -> None:
        """Take note of an item (D,) that was placed, a candidate or not."""
        np.maximum(self.nearest, self.vectors @ vector, out=self.nearest)
