"""What is learned from a sample of the viewers before all of them are drawn."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recommender.ml.arrays import Floats, Matrix
from recommender.ml.model import Progress
from recommender.ml.portraits import foretelling, interests, latent, propensity, quality, segments, sequences
from recommender.ml.portraits.baskets import ratings
from recommender.ml.portraits.block import Block
from recommender.ml.portraits.foretelling import Foreteller
from recommender.ml.portraits.interests import DAY_MS, Contents, decay
from recommender.ml.portraits.propensity import Judged
from recommender.ml.portraits.quality import Quality
from recommender.ml.portraits.segments import Segmentation
from recommender.ml.portraits.wishes import wishes

SEED = 0
AHEAD_DAYS = 14  # whether a viewer comes back, or buys, within these days
FORETOLD = 5_000  # viewers of the sample from whose sequences is learned: enough for a network this small
OUTCOMES = {"churn": "gone", "purchase": "bought"}  # the outcome's name → the window's column


@dataclass(frozen=True)
class Clock:
    """When the portraits are drawn, where, and how fast interests fade."""

    at_ms: int
    offset_ms: int  # of the tenant's clocks
    half_life_days: float


@dataclass(frozen=True)
class Learned:
    """Everything that a block is drawn by."""

    clock: Clock
    contents: Contents
    item_vectors: Floats  # (V, D)
    segmentation: Segmentation
    everyone: Floats  # (dimensions,) the mean share of each
    foreteller: Foreteller
    propensity: Mapping[str, Judged]
    quality: Quality

    def wishes(self, block: Block) -> Floats:
        """Return P (U, dimensions) of a block's viewers."""
        return wishes(block, self.faded(block), self.contents)

    def faded(self, block: Block) -> Floats:
        """Return the ratings (N,) of a block's events, less what time has taken."""
        return block.rating * age(block, self.clock)


def learn(sample: Block, contents: Contents, clock: Clock, *, device: str, progress: Progress | None) -> Learned:
    """Find segments, directions and chances in what a sample of the viewers did."""
    faded = sample.rating * age(sample, clock)
    wanted = wishes(sample, faded, contents)
    words = sequences.vocabulary(sample.item, contents)
    found = sequences.sequences(sample, words, contents, offset_ms=clock.offset_ms)
    met: Matrix = ratings(sample, len(contents.item_ids))
    shares = interests.shares(wanted)
    return Learned(
        clock=clock,
        contents=contents,
        item_vectors=latent.item_vectors(met, seed=SEED),
        segmentation=segments.segment(interests.directions(wanted), seed=SEED),
        everyone=shares.mean(0) if len(shares) else np.zeros(shares.shape[1], np.float32),
        foreteller=foretelling.learn(
            found.rows(np.arange(min(len(found), FORETOLD), dtype=np.int32)),
            words,
            seed=SEED,
            device=device,
            progress=progress,
        ),
        propensity=_propensity(sample, clock),
        quality=quality.measure(sample, contents, at_ms=clock.at_ms, offset_ms=clock.offset_ms),
    )


def age(block: Block, clock: Clock) -> Floats:
    """Return what time has left of each event (N,): 1 of what has just happened."""
    return decay(clock.at_ms - block.at, half_life_days=clock.half_life_days)


def _propensity(sample: Block, clock: Clock) -> dict[str, Judged]:
    earlier, later = (
        propensity.window(sample, at_ms=clock.at_ms - turns * AHEAD_DAYS * DAY_MS, days=AHEAD_DAYS) for turns in (2, 1)
    )
    return {
        outcome: propensity.learn(*((of.columns[of.known], getattr(of, column)[of.known]) for of in (earlier, later)))
        for outcome, column in OUTCOMES.items()
    }
