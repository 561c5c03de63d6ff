"""Who has only ever watched one topic meets another on every page, at a small price in relevance."""

import random
from typing import Any

import numpy as np

from recommender.ml.arrays import Longs
from recommender.serving.anywhere import Anywhere
from recommender.serving.catalogue import Catalogue
from recommender.serving.drawing import Draw
from recommender.serving.page import Pool, Rules, Source
from recommender.serving.space import Space
from recommender.serving.traits import Teller

ITEMS, TOPICS, PAGE = 400, 10, 20
GAINS = 1 / np.log2(np.arange(2, PAGE + 2))


def catalogue() -> Catalogue:
    """Return items of ten topics in turns, the first ones the most popular."""
    items = np.arange(ITEMS)
    nothing = np.zeros(ITEMS, np.int64)
    return Catalogue(
        items=items,
        creators=items,
        published=nothing,
        is_free=items >= 0,
        topics=items % TOPICS + 1,
        followers=nothing,
        viewers=ITEMS - items,
        reactions=nothing,
    )


def page(of: Catalogue, *, met: Longs, **rules: Any) -> Longs:
    """Return the items of a page for a viewer whose model offers nothing but the first topic, the best first."""
    own = [offer for offer in of.offers(np.flatnonzero(of.topics == 1)) if offer.item not in met]
    popular = [offer for offer in of.popular if offer.item not in met]
    rng = random.Random(1)
    draw = Draw(
        Pool([Source("model", 1.0, own), Source("popular", 1e-9, popular)]),
        anywhere=Anywhere(of, share=0, hidden=(), creators=(), rng=rng),
        teller=Teller(of, Space(None), met, small_followers=0),
        rules=Rules(size=PAGE, per_creator=PAGE, per_topic=PAGE, **rules),
        rng=rng,
    )
    return np.array([place.offer.item for place in draw.fill(PAGE)])


def ndcg(shown: Longs, wanted: Longs) -> float:
    return float((np.isin(shown, wanted) * GAINS).sum() / GAINS.sum())


def test_a_narrow_viewer_meets_new_topics_at_a_bounded_loss() -> None:
    of = catalogue()
    met = np.arange(0, 100, TOPICS)  # ten items of the first topic
    wanted = np.arange(100, ITEMS, TOPICS)  # the rest of it: all that the viewer will ever like

    before = page(of, met=met)
    after = {many: page(of, met=met, new_topics=many) for many in (1, 2, 3)}
    lost = {many: 1 - ndcg(shown, wanted) / ndcg(before, wanted) for many, shown in after.items()}

    assert ndcg(before, wanted) == 1
    assert {many: int((of.topics[shown] > 1).sum()) for many, shown in after.items()} == {1: 1, 2: 2, 3: 3}
    assert lost[1] <= 0.05
    assert lost[2] <= 0.10
    assert lost[3] <= 0.15


def test_who_has_met_every_topic_is_owed_none() -> None:
    of = catalogue()

    assert page(of, met=np.arange(TOPICS), new_topics=3).tolist() == page(of, met=np.arange(TOPICS)).tolist()
