"""Who has these also has that: association rules, counted exactly.

A basket is what one viewer has. support(X) is the share of baskets that hold all of X, confidence(X → y) is
support(X ∪ y) / support(X), lift is confidence / support(y). Frequent sets are found level by level, as in "Fast
Algorithms for Mining Association Rules" (Agrawal and Srikant, 1994); pairs, of which there are most, by one sparse
product. Shapes: U baskets, T things.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.sparse import csr_array, triu

from recommender.ml.arrays import Ints, Matrix

Things = tuple[int, ...]  # ascending


@dataclass(frozen=True)
class Rule:
    """Baskets that hold `given` hold `then` as well, so often."""

    given: Things
    then: int
    baskets: int  # that hold all of it
    support: float
    confidence: float
    lift: float


def baskets(viewer: Ints, thing: Ints, *, shape: tuple[int, int]) -> Matrix:
    """Return (U, T) with a 1 where the viewer has the thing, however often it is said."""
    held: Matrix = csr_array((np.ones(len(viewer), np.float32), (viewer, thing)), shape=shape)
    held.sum_duplicates()
    held.data[:] = 1
    return held


def frequent(held: Matrix, *, fewest: int, longest: int = 3) -> dict[Things, int]:
    """Return how many of the baskets (U, T) hold each set of up to `longest` things that at least `fewest` hold."""
    counts = np.bincount(held.indices, minlength=held.shape[1])
    often = np.flatnonzero(counts >= fewest).astype(np.int32)
    found: dict[Things, int] = {(int(thing),): int(counts[thing]) for thing in often}
    level = _pairs(held, often, fewest) if longest > 1 else {}
    columns = held.tocsc()
    holders = {int(t): columns.indices[columns.indptr[t] : columns.indptr[t + 1]] for t in often}
    for length in range(2, longest + 1):
        found |= level
        level = dict(_counted(_joined(level), holders, fewest)) if length < longest else {}
    return found


def rules(held: Matrix, *, fewest: int, least_confidence: float, longest: int = 3) -> list[Rule]:
    """Return the rules of baskets (U, T) with one thing on the right, the highest lift first, then most baskets."""
    known = frequent(held, fewest=fewest, longest=longest)
    total = held.shape[0]
    told = (_rule(known, things, then, total) for things in known if len(things) > 1 for then in things)
    kept = (rule for rule in told if rule.confidence >= least_confidence)
    return sorted(kept, key=lambda rule: (-rule.lift, -rule.baskets, rule.given, rule.then))


def _rule(known: Mapping[Things, int], things: Things, then: int, total: int) -> Rule:
    given = tuple(thing for thing in things if thing != then)
    both = known[things]
    confidence = both / known[given]
    return Rule(given, then, both, both / total, confidence, confidence / (known[then,] / total))


def _pairs(held: Matrix, often: Ints, fewest: int) -> dict[Things, int]:
    part = held[:, often]
    together = triu(part.T @ part, k=1).tocoo()  # (often, often)
    kept = together.data >= fewest
    cells = zip(often[together.row[kept]], often[together.col[kept]], together.data[kept], strict=True)
    return {(int(one), int(other)): int(count) for one, other, count in cells}


def _joined(level: Mapping[Things, int]) -> Iterable[Things]:
    """Yield the sets that are one thing longer and all of whose parts are in the level."""
    by_start: dict[Things, list[int]] = {}
    for things in sorted(level):
        by_start.setdefault(things[:-1], []).append(things[-1])
    for start, ends in by_start.items():
        for one, other in combinations(ends, 2):
            longer = (*start, one, other)
            if all(part in level for part in combinations(longer, len(longer) - 1)):
                yield longer


def _counted(sets: Iterable[Things], holders: Mapping[int, Ints], fewest: int) -> Iterable[tuple[Things, int]]:
    for things in sets:
        together = holders[things[0]]
        for thing in things[1:]:
            together = np.intersect1d(together, holders[thing], assume_unique=True)
        if len(together) >= fewest:
            yield things, len(together)
