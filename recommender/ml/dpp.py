"""A determinantal point process, greedily: the next item is the one that adds most to the volume of those placed.

The kernel is L = diag(q) S diag(q) with S the cosines and q = exp(α · relevance), α = θ / (2 (1 − θ)), so that what an
item adds to log det L is, but for a factor, θ · relevance + (1 − θ) · log d², with d² its squared distance from the
span of what was placed. d² is kept by a Cholesky factor that grows by a row per place: "Fast Greedy MAP Inference for
Determinantal Point Process to Improve Recommendation Diversity" (Chen, Zhang and Zhou, 2018), sections 3 and 4.
Shapes: N candidates, D dimensions, m items placed.
"""

import numpy as np

from recommender.ml.arrays import Floats

APART = 1e-3  # added to the diagonal of S: two equal items are not quite the same
LEAST = 1e-6


class Dpp:
    """Candidates at unit vectors (N, D), zeros where nothing is told of one, beside what was placed so far."""

    def __init__(self, vectors: Floats, *, diversity: float) -> None:
        self.vectors, self.diversity = vectors, np.float32(diversity)
        self.left = np.full(len(vectors), 1 + APART, np.float32)  # (N,) d²
        self.placed = np.zeros((0, vectors.shape[1]), np.float32)  # (m, D)
        self.factor = np.zeros((0, 0), np.float32)  # (m, m) lower triangle: S of what was placed = C Cᵀ
        self.rows = np.zeros((0, len(vectors)), np.float32)  # (m, N) what each candidate has in common with them

    def scores(self, relevance: Floats) -> Floats:
        """Return what to place the largest of (..., N), given the relevance (..., N) of each candidate."""
        return np.asarray(self.weighed(relevance) + self.apart())

    def weighed(self, relevance: Floats) -> Floats:
        """Return the part of the scores that stays the same whatever was placed (..., N)."""
        return np.asarray((1 - self.diversity) * relevance)

    def apart(self) -> Floats:
        """Return the other part (N,): what being unlike all that was placed is worth."""
        return np.asarray(self.diversity * np.log(np.maximum(self.left, LEAST)))

    def place(self, vector: Floats) -> None:
        """Take note of an item (D,) that was placed, a candidate or not."""
        known = np.linalg.solve(self.factor, self.placed @ vector) if len(self.placed) else np.zeros(0, np.float32)
        own = np.sqrt(max(1 + APART - float(known @ known), LEAST))
        row = (self.vectors @ vector - known @ self.rows) / np.float32(own)  # (N,)
        self.left = np.maximum(self.left - row * row, 0)
        self.factor = np.block([[self.factor, np.zeros((len(known), 1))], [known[None], np.full((1, 1), own)]])
        self.placed = np.concatenate([self.placed, vector[None]])
        self.rows = np.concatenate([self.rows, row[None]]).astype(np.float32)
