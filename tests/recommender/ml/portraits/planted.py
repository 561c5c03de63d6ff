"""Viewers whose truth is known: what they like, when they come back, what they do next."""

import numpy as np

from recommender.ml.portraits.block import Block, order
from recommender.ml.portraits.interests import DAY_MS, Contents, describe

NOW = 1_777_636_800_000  # a noon, UTC
HOUR_MS = 3_600_000


def contents(items: int, topics: int) -> Contents:
    """Return items of which every topic has the same number: item i has topic i % topics."""
    names = [f"t{item % topics:02}" for item in range(items)]
    return describe(np.arange(items, dtype=np.int64), names, [[] for _ in range(items)])


def block(viewers: np.ndarray, items: np.ndarray, at: np.ndarray, *, bought: np.ndarray | None = None) -> Block:
    """Return watches to the end (rating 3) of viewers 0, 1, 2 …"""
    return order(
        viewer_ids=np.unique(viewers).astype(np.int64),
        viewers=viewers.astype(np.int64),
        item=items.astype(np.int32),
        at=at.astype(np.int64),
        rating=np.full(len(viewers), 3, np.float32),
        watched=np.ones(len(viewers), np.float32),
        liked=np.zeros(len(viewers), np.bool_),
        bought=np.zeros(len(viewers), np.bool_) if bought is None else bought,
    )


def groups(*, viewers: int, groups: int, topics: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return interests (U, D) of viewers with two favourite topics each by group, and the groups (U,)."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, groups, viewers)
    interests = rng.gamma(0.5, 0.4, (viewers, topics))
    for favourite in range(2):
        interests[np.arange(viewers), 2 * truth + favourite] += rng.gamma(4, 1, viewers)
    return interests.astype(np.float32), truth


def in_pairs(*, viewers: int, topics: int, length: int, seed: int) -> Block:
    """Return viewers who watch each topic twice and then go on to the next of their own round of topics.

    After the first of two comes the same topic, after the second the next: one event says nothing of which it is.
    They come at their own hour, and three hours later, turn by turn.
    """
    rng = np.random.default_rng(seed)
    watched, came = [], []
    for _ in range(viewers):
        start, first_hour = int(rng.integers(topics)), int(rng.choice([8, 11, 14, 17]))
        places = np.arange(length) + int(rng.integers(2))
        watched.append((start + places // 2) % topics)
        came.append(
            NOW - 40 * DAY_MS + np.arange(length) // 2 * DAY_MS + (first_hour + np.arange(length) % 2 * 3) * HOUR_MS
        )
    return block(np.repeat(np.arange(viewers), length), np.concatenate(watched), np.concatenate(came))
