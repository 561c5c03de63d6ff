"""Viewers in groups by their interests: k-means whose k is chosen, and labels that last.

k is the one of 2 … 8 with the highest mean silhouette (Rousseeuw, 1987). Labels of a later run are matched with those
of the run before by the assignment of highest total cosine (Kuhn, 1955, "the Hungarian method"), so that segment 3
stays segment 3. Shapes: n viewers, D dimensions, K segments.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

from recommender.ml.arrays import Floats, Ints

FEWEST = 20  # viewers of whom groups can be made
MOST_SEGMENTS = 8
JUDGED = 2_000  # viewers whose silhouette is measured: it takes every pair of them
LEAST_SILHOUETTE = 0.1  # below that the groups are no groups
SAME = 0.6  # cosine of a segment's centre with its earlier self

TOO_FEW = "too_few_viewers"
ALL_ALIKE = "all_alike"
NO_GROUPS = "no_clear_groups"


@dataclass(frozen=True)
class Segmentation:
    """The centres (K, D) and how well they part the viewers; without any, the reason."""

    centres: Floats
    silhouette: float = 0.0
    reason: str = ""


def segment(points: Floats, *, seed: int) -> Segmentation:
    """Return the centres of points (n, D) of length 1, for the k whose groups are clearest."""
    known = points[np.linalg.norm(points, axis=1) > 0]
    none = np.zeros((0, points.shape[1]), np.float32)
    if len(known) < FEWEST:
        return Segmentation(none, reason=TOO_FEW)
    kinds = len(np.unique(known.round(4), axis=0))
    if kinds < 2:
        return Segmentation(none, reason=ALL_ALIKE)
    best = max((_parted(known, k, seed) for k in range(2, min(MOST_SEGMENTS, kinds, len(known) - 1) + 1)), key=_clear)
    if best.silhouette < LEAST_SILHOUETTE:
        return Segmentation(none, best.silhouette, NO_GROUPS)
    return best


def assign(points: Floats, centres: Floats) -> Ints:
    """Return the nearest centre of each point (n, D): (n,), −1 for points of length 0 or without centres."""
    if not len(centres):
        return np.full(len(points), -1, np.int32)
    distances = (centres**2).sum(1) - 2 * points @ centres.T  # (n, K), less what all share
    return np.where(np.linalg.norm(points, axis=1) > 0, distances.argmin(1), -1).astype(np.int32)


def keep_labels(
    centres: Floats, names: Sequence[str], *, before: Mapping[int, Mapping[str, float]], unused: int
) -> list[int]:
    """Return a label for each centre (K, D): that of the earlier segment it is, or one from `unused` on.

    `before` holds the earlier segments' centres by label, their dimensions by name: dimensions come and go.
    """
    labels = list(before)
    place_of = {name: place for place, name in enumerate(names)}
    earlier = np.zeros((len(labels), len(names)), np.float32)
    for row, label in enumerate(labels):
        for name, value in before[label].items():
            if name in place_of:
                earlier[row, place_of[name]] = value
    alike = _unit(centres) @ _unit(earlier).T  # (K, earlier)
    pairs = zip(*linear_sum_assignment(-alike), strict=True)
    kept = {int(new): labels[old] for new, old in pairs if alike[new, old] >= SAME}
    fresh = iter(range(unused, unused + len(centres)))
    return [kept[place] if place in kept else next(fresh) for place in range(len(centres))]


def telling(centre: Floats, everyone: Floats, names: Sequence[str], *, most: int = 5) -> list[tuple[str, float, float]]:
    """Return what a segment (D,) is about: (name, its share, times the share of everyone), strongest first.

    A dimension counts by its share times the logarithm of how much more that is than everyone's.
    """
    lift = (centre + 1e-6) / (everyone + 1e-6)
    worth = centre * np.log(lift)
    best = np.argsort(-worth, kind="stable")[:most]
    return [(names[i], round(float(centre[i]), 4), round(float(lift[i]), 2)) for i in best if worth[i] > 0]


def _parted(points: Floats, k: int, seed: int) -> Segmentation:
    found = KMeans(k, n_init=4, random_state=seed).fit(points)
    if len(np.unique(found.labels_)) < 2:
        return Segmentation(found.cluster_centers_.astype(np.float32), reason=ALL_ALIKE)
    judged = np.random.default_rng(seed).permutation(len(points))[:JUDGED]
    labels = found.labels_[judged]
    clear = silhouette_score(points[judged], labels) if 1 < len(np.unique(labels)) < len(judged) else 0.0
    return Segmentation(found.cluster_centers_.astype(np.float32), float(clear))


def _clear(parted: Segmentation) -> float:
    return parted.silhouette


def _unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), np.float32)
