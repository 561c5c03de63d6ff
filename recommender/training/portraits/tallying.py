"""What is counted over all blocks: audiences, demand, baskets, sizes. Shapes: U viewers, C creators, K segments."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recommender.ml.arrays import Ints, Longs
from recommender.ml.portraits.audiences import Audiences, strongest
from recommender.ml.portraits.baskets import things
from recommender.ml.portraits.block import Block
from recommender.ml.portraits.interests import Contents, shares
from recommender.ml.portraits.rules import Rule as Mined
from recommender.ml.portraits.rules import baskets
from recommender.ml.portraits.rules import rules as mined
from recommender.models import Audience, PortraitRun, Rule
from recommender.training.portraits.drawing import Drawn

LEAST_CONFIDENCE = 0.05
MOST_RULES = 1_000
VERBS = (Rule.Verb.LIKED, Rule.Verb.BOUGHT)
VISITS = ("new", "returning")
NOTHING = np.zeros(0, np.int32)


@dataclass
class Tally:
    """The counts so far; memory grows with creators and purchases, not with viewers."""

    contents: Contents
    creator_ids: Longs  # (C,) sorted
    creator_of: Ints  # (V,) codes into creator_ids
    audiences: Audiences
    sizes: Longs  # (K,)
    wanted: np.ndarray  # (topics,) Σ of the viewers' shares of interest
    fans: Longs  # (topics,) viewers whose strongest topic it is
    viewers: int = 0
    baskets: list[tuple[Ints, Ints]] = field(default_factory=lambda: [(NOTHING, NOTHING)])

    @classmethod
    def empty(cls, contents: Contents, creators: Longs, *, segments: int) -> "Tally":
        """Return counts of nothing yet; `creators` (V,) owns the items."""
        creator_ids, creator_of = np.unique(creators, return_inverse=True)
        topics = contents.topics
        audiences = Audiences.empty(creators=len(creator_ids), topics=topics, segments=segments)
        return cls(
            contents,
            creator_ids,
            creator_of.astype(np.int32),
            audiences,
            sizes=np.zeros(segments, np.int64),
            wanted=np.zeros(topics),
            fans=np.zeros(topics, np.int64),
        )

    def add(self, block: Block, drawn: Drawn, *, at_ms: int) -> None:
        """Count a block's viewers."""
        of_topics = drawn.wishes[:, : len(self.wanted)]
        self.audiences.add(block, self.creator_of, drawn.traits, at_ms=at_ms)
        segment, topic = drawn.traits.segment, strongest(of_topics)
        self.sizes += np.bincount(segment[segment >= 0], minlength=len(self.sizes))
        self.fans += np.bincount(topic[topic >= 0], minlength=len(self.fans))
        self.wanted += shares(of_topics).sum(0)
        viewer, thing = things(block)
        self.baskets.append((viewer + np.int32(self.viewers), thing))
        self.viewers += block.viewers

    def demand(self) -> dict[str, list[float]]:
        """Return each topic's share of all interest, and how many viewers like it best."""
        total = max(float(self.wanted.sum()), 1e-12)
        told = zip(_topics(self.contents), self.wanted / total, self.fans, strict=True)
        return {topic: [round(float(share), 4), int(fans)] for topic, share, fans in told}

    def rules(self, run: PortraitRun, *, k: int) -> list[Rule]:
        """Return what goes together for at least k viewers, oftener than by chance; the strongest."""
        viewer, thing = (np.concatenate(column) for column in zip(*self.baskets, strict=True))
        _, basket = np.unique(viewer, return_inverse=True)
        shape = (int(basket.max(initial=-1)) + 1, 2 * len(self.contents.item_ids))
        # Pairs alone: "who likes X buys Y" is read at a glance, and bundles are made of such.
        held = baskets(basket.astype(np.int32), thing, shape=shape)
        found = mined(held, fewest=k, least_confidence=LEAST_CONFIDENCE, longest=2) if shape[0] else []
        return [self._rule(run, of) for of in found if of.lift > 1 and of.given[0] // 2 != of.then // 2][:MOST_RULES]

    def _rule(self, run: PortraitRun, told: Mined) -> Rule:
        (given,) = told.given
        return Rule(
            run=run,
            given_id=int(self.contents.item_ids[given // 2]),
            given_verb=VERBS[given % 2],
            then_id=int(self.contents.item_ids[told.then // 2]),
            then_verb=VERBS[told.then % 2],
            viewers=told.baskets,
            support=told.support,
            confidence=told.confidence,
            lift=told.lift,
        )

    def rows(self, run: PortraitRun, *, labels: Sequence[int]) -> list[Audience]:
        """Return the audiences of all creators who have one, per window; `labels` name the segments."""
        names = {
            "topics": _topics(self.contents),
            "hours": [str(hour) for hour in range(24)],
            "segments": [str(label) for label in labels],
            "visits": VISITS,
        }
        return [
            Audience(
                run=run,
                creator_id=int(self.creator_ids[code]),
                days=count.days,
                viewers=int(count.viewers[code]),
                counts={name: _named(names[name], count.cells[name][code]) for name in count.cells},
            )
            for count in self.audiences.counts
            for code in np.flatnonzero(count.viewers)
        ]


def _topics(contents: Contents) -> list[str]:
    return [name.removeprefix("topic:") for name in contents.names[: contents.topics]]


def _named(names: Sequence[str], counts: Any) -> dict[str, int]:
    return dict(zip(names, counts.tolist(), strict=True))
