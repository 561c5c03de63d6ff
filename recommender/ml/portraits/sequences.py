"""What viewers did, one after the other, as tokens; and the two plain ways to foretell what comes next.

Three things are foretold: the next item, the next topic, and the hour of the day at which the viewer comes back (the
first event after a pause). Token 0 is nothing: padding, an item or topic that is not known, no next event. Shapes: B
viewers, T places (left-padded, the last event is in the last place), C tokens.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from recommender.ml.arrays import Floats, Ints
from recommender.ml.portraits.block import Block
from recommender.ml.portraits.interests import HOURS, Contents

HEADS = ("topic", "item", "hour")
LENGTH = 32  # places
MOST_ITEMS = 1_000  # the most met: the next item is foretold among these
PAUSE_MS = 30 * 60_000
HOUR_MS = 3_600_000
K = 3  # a hit is among the first so many

Tokens = Mapping[str, Ints]


@dataclass(frozen=True)
class Vocabulary:
    """What the tokens mean."""

    items: Ints  # (MOST_ITEMS,) places in the contents, by token − 1
    topics: int

    @property
    def sizes(self) -> dict[str, int]:
        """Return C for each head: how many tokens there are, 0 included."""
        return {"topic": self.topics + 1, "item": len(self.items) + 1, "hour": HOURS + 1}


@dataclass(frozen=True)
class Sequences:
    """What viewers did (B, T) and what came next at each place (B, T), per head."""

    viewers: Ints  # (B,) codes in the block
    tokens: Tokens
    targets: Tokens
    is_last: Mapping[str, np.ndarray]  # (B, T) whether the target is the viewer's last event: withheld when judging

    def __len__(self) -> int:
        return len(self.viewers)

    def rows(self, kept: Ints) -> Self:
        """Return the sequences of some of the viewers."""
        columns = (
            {head: column[kept] for head, column in of.items()} for of in (self.tokens, self.targets, self.is_last)
        )
        return type(self)(self.viewers[kept], *columns)


def vocabulary(item: Ints, contents: Contents) -> Vocabulary:
    """Return the tokens for events (N,) with these items."""
    met = np.bincount(item[item >= 0], minlength=len(contents.item_ids))
    ranked = np.argsort(-met, kind="stable")[:MOST_ITEMS]
    return Vocabulary(ranked[met[ranked] > 0].astype(np.int32), contents.topics)


def sequences(block: Block, words: Vocabulary, contents: Contents, *, offset_ms: int) -> Sequences:
    """Return what the block's viewers watched and liked, the last LENGTH of it; others are left out."""
    wanted = block.where(block.rating > 0)
    if not len(wanted):
        nothing = {head: np.zeros((0, LENGTH), np.int32) for head in HEADS}
        return Sequences(np.zeros(0, np.int32), nothing, nothing, nothing)
    tokens = _tokens(wanted, words, contents, offset_ms)
    viewers, starts, counts = np.unique(wanted.viewer, return_index=True, return_counts=True)
    ends = starts + counts  # (B,)
    places = ends[:, None] - LENGTH + np.arange(LENGTH)  # (B, T)
    real = places >= starts[:, None]
    following = _following(wanted, ends)
    safe = np.maximum(places, 0)
    return Sequences(
        viewers=viewers.astype(np.int32),
        tokens={head: np.where(real, tokens[head][safe], 0) for head in HEADS},
        targets={head: np.where(real, _at(tokens[head], following[head])[safe], 0) for head in HEADS},
        is_last={head: real & (following[head][safe] == ends[:, None] - 1) for head in HEADS},
    )


def withheld(found: Sequences, head: str) -> tuple[Ints, Ints]:
    """Return (viewer rows, places) where the viewer's last event was to be foretold: the last such place of each."""
    asked = found.is_last[head] & (found.targets[head] > 0)
    rows = np.flatnonzero(asked.any(1))
    places = LENGTH - 1 - asked[rows][:, ::-1].argmax(1)
    return rows.astype(np.int32), places.astype(np.int32)


def learned(found: Sequences, head: str) -> Ints:
    """Return the targets (B, T) that may be learned from: without what is withheld."""
    return np.where(found.is_last[head], 0, found.targets[head])


def popularity(found: Sequences, head: str, size: int) -> Floats:
    """Return how likely each token (C,) is to come next, whatever was before."""
    counts = np.bincount(learned(found, head).ravel(), minlength=size).astype(np.float32)
    counts[0] = 0
    return np.asarray(counts / max(counts.sum(), 1), np.float32)


def markov(found: Sequences, head: str, size: int) -> Floats:
    """Return how likely each token is to follow each (C, C): counted, with one event's worth of popularity."""
    target = learned(found, head).ravel().astype(np.int64)
    before = found.tokens[head].ravel().astype(np.int64)
    kept = target > 0
    counts = np.bincount(before[kept] * size + target[kept], minlength=size * size).reshape(size, size)
    mixed = counts + popularity(found, head, size)
    return np.asarray(mixed / np.maximum(mixed.sum(1, keepdims=True), 1e-12), np.float32)


def hit_rate(chances: Floats, target: Ints, *, k: int = K) -> float:
    """Return how often the target (B,) is among the k likeliest tokens (B, C)."""
    if not len(target):
        return 0.0
    own = chances[np.arange(len(target)), target]
    above = (chances > own[:, None]).sum(1) + (chances == own[:, None]).sum(1) - 1  # a tie is a loss
    return float((above < k).mean())


def _tokens(wanted: Block, words: Vocabulary, contents: Contents, offset_ms: int) -> Tokens:
    token_of = np.zeros(len(contents.item_ids) + 1, np.int32)  # the last is for what is not there
    token_of[words.items] = np.arange(len(words.items)) + 1
    topic_of = np.append(contents.topic + 1, 0).astype(np.int32)
    hour = (wanted.at + offset_ms) // HOUR_MS % HOURS + 1
    return {"topic": topic_of[wanted.item], "item": token_of[wanted.item], "hour": hour.astype(np.int32)}


def _following(wanted: Block, ends: np.ndarray) -> dict[str, np.ndarray]:
    """Return for each event (N,) the place of the one to foretell: the next, or the next after a pause; −1 for none."""
    total = len(wanted)
    end_of = np.repeat(ends, np.diff(ends, prepend=0))  # (N,) where the viewer's events end
    after = np.arange(1, total + 1)
    begins = np.append(np.diff(wanted.at) > PAUSE_MS, values=False)  # whether the next event begins a visit
    visit = np.where(begins, after, total)
    visit = np.minimum.accumulate(visit[::-1])[::-1]
    following = {"topic": after, "item": after, "hour": visit}
    return {head: np.where(place < end_of, place, -1) for head, place in following.items()}


def _at(tokens: Ints, places: np.ndarray) -> Ints:
    return np.where(places >= 0, tokens[np.maximum(places, 0)], 0).astype(np.int32)
