"""Counts that may be shown: large enough, and with noise whose ε is known.

Adding or leaving out one viewer changes one cell of a histogram by one. Noise of the two-sided geometric
distribution, P(x) ∝ exp(−ε |x|), then makes any answer at most exp(ε) times likelier (Ghosh, Roughgarden and
Sundararajan, 2009): the Laplace mechanism for whole numbers. Several histograms of the same viewers add their ε up.
"""

import math
import random
from collections.abc import Iterable, Mapping

Counts = Mapping[str, int]


def noised(counts: Counts, *, epsilon: float, rng: random.Random) -> dict[str, int]:
    """Return a histogram with two-sided geometric noise on every cell; what falls below 0 is shown as 0.

    Every cell that could exist has to be given, with its 0: that a cell is missing would say that nobody is in it.
    """
    return {name: max(0, count + two_sided_geometric(epsilon, rng)) for name, count in counts.items()}


def two_sided_geometric(epsilon: float, rng: random.Random) -> int:
    """Return a whole number drawn with P(x) ∝ exp(−ε |x|): the difference of two geometric ones."""
    return _geometric(epsilon, rng) - _geometric(epsilon, rng)


def expected_error(epsilon: float) -> float:
    """Return the mean |noise| of a cell: 2a / (1 − a²) with a = exp(−ε)."""
    chance = math.exp(-epsilon)
    return 2 * chance / (1 - chance**2)


def shown(counts: Counts, *, k: int, narrower: Iterable[Counts] = ()) -> dict[str, int]:
    """Return the cells with at least k viewers, and none of which a smaller one could be worked out.

    What is hidden equals the total less what is shown. While that rest is smaller than k but not 0, the smallest
    shown cell is hidden as well (complementary suppression). The same holds of the viewers who are not in a narrower
    count of the same cells, of fewer days: they are what the one has more than the other.
    """
    cells = _large(counts, k=k)
    for inner in narrower:
        more = {name: count - inner.get(name, 0) for name, count in counts.items()}
        told = _large(more, k=k)
        if not 0 < sum(more.values()) - sum(told.values()) < k:
            told |= {name: 0 for name, count in more.items() if count == 0}
        cells = {name: count for name, count in cells.items() if name in told}
    return cells


def _large(counts: Counts, *, k: int) -> dict[str, int]:
    ranked = sorted(counts.items(), key=lambda cell: (-cell[1], cell[0]))
    large = [cell for cell in ranked if cell[1] >= k]
    rest = sum(counts.values()) - sum(count for _, count in large)
    while large and 0 < rest < k:
        rest += large.pop()[1]
    return dict(large)


def _geometric(epsilon: float, rng: random.Random) -> int:
    """Return how often a coin that fails with exp(−ε) fails in a row."""
    return int(math.log(1.0 - rng.random()) / -epsilon)
