"""Several lists, best first, as one: Σ weight / (60 + rank), whatever the scores behind them mean.

"Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods" (Cormack, Clarke and Büttcher,
2009), section 2.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

K = 60

T = TypeVar("T", bound=Hashable)


def fused(lists: Iterable[tuple[float, Sequence[T]]]) -> list[T]:
    """Return everything in weighted lists once, best first; of equal ones what was met first stands first."""
    scores: defaultdict[T, float] = defaultdict(float)
    for weight, ranked in lists:
        for rank, what in enumerate(ranked, start=1):
            scores[what] += weight / (K + rank)
    return sorted(scores, key=scores.__getitem__, reverse=True)
