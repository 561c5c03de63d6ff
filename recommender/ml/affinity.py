"""Does collaborative filtering apply here? Its two assumptions, tested on the data.

That similar items please the same viewers: likeness of items is learned from one half of the viewers, and asked of
pairs of items that one viewer of the other half likes. If likeness meant nothing, such pairs would be no more alike
than the same items paired at random. That similar viewers like the same items is the same question, viewers and items
exchanged. The p-value is that of a permutation test (Good, 2005, chapter 3): pairs are broken and joined anew, so that
popular items stay as frequent as they were.
"""

from dataclasses import asdict, dataclass

import numpy as np
from scipy.sparse import csr_array

from recommender.ml.arrays import Floats, Ints, Matrix
from recommender.ml.interactions import Interactions
from recommender.ml.similarity import TINY, norms

PAIRS, ROUNDS, LEVEL = 5_000, 199, 0.05


@dataclass(frozen=True)
class Affinity:
    """How alike pairs with a liking in common are, how alike pairs at random, and how likely that is by chance."""

    together: float
    at_random: float
    p: float
    pairs: int

    @property
    def holds(self) -> bool:
        """Return whether the assumption stands."""
        return self.together > self.at_random and self.p <= LEVEL


def diagnose(data: Interactions, *, seed: int = 0) -> dict[str, object]:
    """Return both tests and whether either assumption holds, as one row of figures."""
    likes = data.where(data.positive).seen()  # (U, V)
    rng = np.random.default_rng(seed)
    tests = {"items": affinity(likes, rng), "viewers": affinity(likes.T.tocsr(), rng)}
    rows = {f"{side}_{name}": round(value, 4) for side, test in tests.items() for name, value in asdict(test).items()}
    holds = {f"{side}_holds": test.holds for side, test in tests.items()}
    return {**rows, **holds, "applies": any(test.holds for test in tests.values())}


def affinity(likes: Matrix, rng: np.random.Generator, *, pairs: int = PAIRS, rounds: int = ROUNDS) -> Affinity:
    """Return the test that columns of `likes` (U, V) liked by one row are alike."""
    half = rng.permutation(likes.shape[0])
    learned, asked = (likes[np.sort(part)] for part in np.array_split(half, 2))
    first, second = _liked_together(asked, pairs, rng)
    unit = _unit_rows(learned.T.tocsr())  # (V, U / 2)
    together = _mean_cosine(unit, first, second)
    chance = np.array([_mean_cosine(unit, first, rng.permutation(second)) for _ in range(rounds)])
    p = (1 + np.count_nonzero(chance >= together)) / (1 + rounds)
    return Affinity(together, float(chance.mean()), float(p), len(first))


def _liked_together(likes: Matrix, pairs: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Return up to so many pairs of different columns, each pair liked by one row drawn at random."""
    liked = np.diff(likes.indptr)  # (U,)
    rows = np.flatnonzero(liked > 1)
    rows = rng.choice(rows, pairs) if len(rows) else rows
    place = rng.integers(0, liked[rows])
    other = (place + rng.integers(1, liked[rows])) % liked[rows]
    starts = likes.indptr[rows]
    return np.asarray(likes.indices[starts + place]), np.asarray(likes.indices[starts + other])


def _unit_rows(matrix: Matrix) -> Matrix:
    lengths = np.repeat(norms(matrix), np.diff(matrix.indptr)) + np.float32(TINY)
    scaled: Matrix = csr_array((matrix.data / lengths, matrix.indices, matrix.indptr), shape=matrix.shape)
    return scaled


def _mean_cosine(unit: Matrix, first: Ints, second: Ints) -> float:
    cosines: Floats = unit[first].multiply(unit[second]).sum(1)
    return float(np.mean(cosines)) if len(first) else 0.0
