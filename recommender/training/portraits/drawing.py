"""The portraits of a block of viewers, as the rows that are written. Shapes: U viewers, D dimensions, C tokens."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import orjson

from recommender.ml.arrays import Floats, Ints
from recommender.ml.portraits import interests, latent, propensity, segments, sequences
from recommender.ml.portraits.audiences import Traits
from recommender.ml.portraits.baskets import ratings
from recommender.ml.portraits.block import Block
from recommender.ml.portraits.foretelling import likeliest
from recommender.operations.portraits import Row
from recommender.training.portraits.learning import Learned, age

MOST_INTERESTS = 10

Told = list[str]  # a JSON list per viewer


@dataclass(frozen=True)
class Drawn:
    """What a block's viewers look like."""

    wishes: Floats  # P (U, D)
    traits: Traits
    rows: list[Row]  # of those who did anything


def draw(block: Block, learned: Learned, segment_ids: Sequence[int]) -> Drawn:
    """Draw a block's viewers; `segment_ids` name the segment of each centre."""
    wishes = learned.wishes(block)
    left = age(block, learned.clock)
    hours = interests.hours(
        block.viewer, block.at, left, viewers=block.viewers, offset_ms=learned.clock.offset_ms
    )  # (U, 24)
    segment = segments.assign(interests.directions(wishes), learned.segmentation.centres)
    rows = _rows(block, learned, wishes, hours, np.append(segment_ids, 0)[segment])
    traits = Traits.of(wishes, hours, segment, topics=learned.contents.topics)
    return Drawn(wishes, traits, rows)


def _rows(block: Block, learned: Learned, wishes: Floats, hours: Floats, segment: Ints) -> list[Row]:
    vectors = latent.unit(np.asarray(ratings(block, len(learned.contents.item_ids)) @ learned.item_vectors))
    ahead = _ahead(block, learned)
    told = _strongest(interests.shares(wishes), learned.contents.names)
    busy = [orjson.dumps([round(share, 4) for share in row]).decode() for row in interests.shares(hours).tolist()]
    chances = _chances(block, learned)
    starts = np.searchsorted(block.viewer, np.arange(block.viewers + 1))
    return [
        Row(
            viewer_id=int(block.viewer_ids[viewer]),
            segment_id=int(segment[viewer]) or None,
            interests=told[viewer],
            active_hours=busy[viewer],
            next_topics=ahead["topic"][viewer],
            next_items=ahead["item"][viewer],
            next_hours=ahead["hour"][viewer],
            vector=vectors[viewer].astype(np.float32).tobytes(),
            events=int(starts[viewer + 1] - starts[viewer]),
            first_seen_at=_moment(block.at[starts[viewer]]),
            last_seen_at=_moment(block.at[starts[viewer + 1] - 1]),
            churn=chances["churn"][viewer],
            purchase=chances["purchase"][viewer],
        )
        for viewer in np.flatnonzero(np.diff(starts)).tolist()
    ]


def _strongest(shares: Floats, names: Sequence[str]) -> Told:
    best = np.argsort(-shares, axis=1, kind="stable")[:, :MOST_INTERESTS]
    values = np.take_along_axis(shares, best, 1).round(4)
    return [_paired([names[place] for place in row], of) for row, of in zip(best, values.tolist(), strict=True)]


def _ahead(block: Block, learned: Learned) -> dict[str, Told]:
    """Return what each viewer is likely to do next, per head: [[what, chance] …], nothing for who watched nothing."""
    words, contents = learned.foreteller.words, learned.contents
    means: dict[str, list[str | int]] = {
        "topic": [name.removeprefix("topic:") for name in contents.names[: contents.topics]],
        "item": contents.item_ids[words.items].tolist(),
        "hour": list(range(interests.HOURS)),
    }
    found = sequences.sequences(block, words, contents, offset_ms=learned.clock.offset_ms)
    told = {head: ["[]"] * block.viewers for head in sequences.HEADS}
    for head, chances in learned.foreteller.chances(found).items():
        if head == "topic":
            _hush_unwanted(chances, found.viewers, block, topics=contents.topics)
        for viewer, line in zip(found.viewers.tolist(), _likely(chances, means[head]), strict=True):
            told[head][viewer] = line
    return told


def _hush_unwanted(chances: Floats, viewers: Ints, block: Block, *, topics: int) -> None:
    """Foretell no topic that a viewer does not want; `chances` (n, C) are those of viewers (n,)."""
    chosen = block.chosen
    for viewer, topic in zip(chosen.viewer[~chosen.is_wanted], chosen.dimension[~chosen.is_wanted], strict=True):
        if topic < topics:
            chances[viewers == viewer, topic + 1] = 0


def _likely(chances: Floats, means: Sequence[str | int]) -> Iterator[str]:
    tokens, values = likeliest(chances)
    for row, of in zip(tokens.tolist(), values.round(4).tolist(), strict=True):
        known = [(means[token - 1], value) for token, value in zip(row, of, strict=True) if token]
        yield _paired([name for name, _ in known], [value for _, value in known])


def _paired(names: Sequence[str | int], values: Sequence[float]) -> str:
    return orjson.dumps([pair for pair in zip(names, values, strict=True) if pair[1] > 0]).decode()


def _chances(block: Block, learned: Learned) -> dict[str, list[float | None]]:
    told = propensity.columns(block, at_ms=learned.clock.at_ms)
    return {
        outcome: judged.model.chances(told).round(4).tolist() if judged.model else [None] * block.viewers
        for outcome, judged in learned.propensity.items()
    }


def _moment(ms: np.int64) -> datetime:
    return datetime.fromtimestamp(int(ms) / 1000, UTC)
