"""What viewers are interested in, on dimensions that have names: the matrices P (U, D) and F (V, D).

F[v, d] is 1 for the topic of item v and 1 / n for each of its n known tags. P[u, d] is the sum over the viewer's
events of rating · 2^(−age / half-life) · F[item, d]. So p · f is how much of what a viewer liked of late an item has
in common with, and each of its D terms can be read. Shapes: N events, U viewers, V items, D dimensions.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from scipy.sparse import csr_array

from recommender.ml.arrays import Floats, Ints, Longs, Matrix

DAY_MS = 86_400_000
HOURS = 24
MOST_TAGS = 200  # the most used of a tenant: the rest says too little of too few


@dataclass(frozen=True)
class Contents:
    """What there is to be interested in."""

    names: tuple[str, ...]  # (D,) "topic:piano", "tag:jazz"
    item_ids: Longs  # (V,) sorted
    features: Matrix  # F (V, D)
    topic: Ints  # (V,) the dimension of the item's topic, −1 without one

    @property
    def topics(self) -> int:
        """Return how many of the dimensions are topics: they come first."""
        return sum(name.startswith("topic:") for name in self.names)


def describe(item_ids: Longs, topics: Sequence[str | None], tags: Sequence[Sequence[str]]) -> Contents:
    """Return F of items (V,), given in ascending order, each with its topic and tags."""
    known_topics = sorted({topic for topic in topics if topic})
    known_tags = [tag for tag, _ in Counter(chain.from_iterable(map(set, tags))).most_common(MOST_TAGS)]
    place_of_topic = {topic: place for place, topic in enumerate(known_topics)}
    place_of_tag = {tag: place for place, tag in enumerate(known_tags, start=len(known_topics))}
    topic_of = np.array([place_of_topic[topic] if topic else -1 for topic in topics], np.int32)
    cells: list[tuple[int, int, float]] = [(item, int(place), 1.0) for item, place in enumerate(topic_of) if place >= 0]
    for item, of_item in enumerate(tags):
        places = sorted({place_of_tag[tag] for tag in of_item if tag in place_of_tag})
        cells += [(item, place, 1 / len(places)) for place in places]
    names = (*(f"topic:{topic}" for topic in known_topics), *(f"tag:{tag}" for tag in known_tags))
    return Contents(names, item_ids, _matrix(cells, (len(item_ids), len(names))), topic_of)


def decay(age_ms: Longs, *, half_life_days: float) -> Floats:
    """Return 2^(−age / half-life) of ages (N,): 1 for what has just happened, ½ after one half-life."""
    return np.exp2(-np.maximum(age_ms, 0) / (half_life_days * DAY_MS)).astype(np.float32)


def interests(viewer: Ints, item: Ints, strength: Floats, *, viewers: int, contents: Contents) -> Floats:
    """Return P (U, D) from events (N,) as codes, with decayed ratings (N,); item −1 is not in the contents."""
    known = item >= 0
    shape = (viewers, len(contents.item_ids))
    met: Matrix = csr_array((strength[known], (viewer[known], item[known])), shape=shape)  # (U, V)
    return np.asarray((met @ contents.features).toarray(), np.float32)  # (U, D)


def shares(matrix: Floats) -> Floats:
    """Return what is positive in each row (U, D), as shares of the row; zeros where nothing is."""
    positive = np.maximum(matrix, 0)
    return np.asarray(positive / np.maximum(positive.sum(1, keepdims=True), np.float32(1e-12)), np.float32)


def directions(matrix: Floats) -> Floats:
    """Return what is positive in each row (U, D), at length 1; zeros where nothing is."""
    positive = np.maximum(matrix, 0)
    lengths = np.linalg.norm(positive, axis=1, keepdims=True)
    return np.asarray(positive / np.maximum(lengths, np.float32(1e-12)), np.float32)


def features_of(topic: str | None, tags: Sequence[str]) -> dict[str, float]:
    """Return an item's row of F by name, as if all of its tags were known."""
    different = sorted(set(tags))
    named = {f"topic:{topic}": 1.0} if topic else {}
    return named | {f"tag:{tag}": 1 / len(different) for tag in different}


def explain(wish: Mapping[str, float], item: Mapping[str, float]) -> list[tuple[str, float]]:
    """Return the terms of p · f that are not 0, the largest first: why an item fits a viewer."""
    terms = {name: round(wish[name] * value, 4) for name, value in item.items() if wish.get(name)}
    return sorted(terms.items(), key=lambda term: (-term[1], term[0]))


def hours(viewer: Ints, at: Longs, strength: Floats, *, viewers: int, offset_ms: int) -> Floats:
    """Return how active viewers are at each hour of their day (U, 24), from events (N,) with decays (N,)."""
    hour = (at + offset_ms) // 3_600_000 % HOURS
    cells = viewer.astype(np.int64) * HOURS + hour
    return np.bincount(cells, strength, minlength=viewers * HOURS).reshape(viewers, HOURS).astype(np.float32)


def _matrix(cells: Sequence[tuple[int, int, float]], shape: tuple[int, int]) -> Matrix:
    rows, columns, values = (np.array(part) for part in zip(*cells, strict=True)) if cells else (np.zeros(0),) * 3
    place = (rows.astype(np.int32), columns.astype(np.int32))
    return csr_array((values.astype(np.float32), place), shape=shape)
