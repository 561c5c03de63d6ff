"""Creators are alike by who follows them, and what the graph and behaviour say together neither says alone."""

from pathlib import Path

import numpy as np
import pytest

from recommender.ml import saved, social
from recommender.ml.rank_fusion import fused


def test_the_likeness_is_the_shrunk_cosine_of_followers_by_hand() -> None:
    # 10 and 20 have two followers in common, of three and two; 30 shares one with each: too few to tell.
    told = [(1, 10), (2, 10), (3, 10), (1, 20), (2, 20), (1, 30)]

    found = social.learn(*np.array(told).T)

    assert found is not None
    assert found.creator_ids.tolist() == [10, 20, 30]
    assert found.near[:, 0].tolist() == [1, 0, social.NOBODY]
    assert found.likeness[0, 0] == pytest.approx(2 / (np.sqrt(6) + social.SHRINK))
    assert found.likeness[2].tolist() == [0] * social.NEIGHBOURS


def test_the_withheld_creator_comes_first() -> None:
    viewers, creators = _two_circles()
    withheld = (viewers == 0) & (creators == 4)

    found = social.learn(viewers[~withheld], creators[~withheld])

    assert found is not None
    followed = creators[(viewers == 0) & ~withheld]
    assert found.nearest_to(followed, k=3).tolist() == [4]
    assert found.most_like(4, followed) in followed
    assert found.most_like(9, followed) is None


def test_who_follows_nobody_or_strangers_only_is_told_nothing() -> None:
    found = social.learn(*_two_circles())

    assert found is not None
    for followed in ([], [999]):
        assert found.nearest_to(followed, k=3).tolist() == []
        assert found.most_like(0, followed) is None


def test_nothing_is_learned_of_follows_that_nobody_shares() -> None:
    assert social.learn(np.arange(3), np.arange(3)) is None
    assert social.learn(np.zeros(0, np.int64), np.zeros(0, np.int64)) is None


def test_saved_and_loaded_it_says_the_same(tmp_path: Path) -> None:
    found = social.learn(*_two_circles())
    assert found is not None
    found.save(tmp_path)

    loaded = saved.load(tmp_path)

    assert loaded.nearest_to([0, 1], k=3).tolist() == found.nearest_to([0, 1], k=3).tolist() != []


def test_fused_with_behaviour_it_finds_what_neither_finds_alone() -> None:
    # Whom a viewer follows tells the creator's circle (of 8), what they watch tells the topic (of 8): an item lies in
    # one circle and has one topic, and both lists are in random order within.
    rng = np.random.default_rng(0)
    hits = np.zeros(3)
    for _ in range(200):
        circle, topic = rng.integers(8, size=2)
        by_graph = [(int(circle), int(of)) for of in rng.permutation(8)]
        by_behaviour = [(int(of), int(topic)) for of in rng.permutation(8)]
        lists = by_graph, by_behaviour, fused([(1.0, by_graph), (1.0, by_behaviour)])
        hits += [ranked[0] == (circle, topic) for ranked in lists]

    graph, behaviour, both = hits / 200
    assert both > 0.9
    assert max(graph, behaviour) < 0.25


def _two_circles() -> tuple[np.ndarray, np.ndarray]:
    """Let viewers follow four of the creators 0 to 4 or four of 5 to 9; viewer 0 follows all of 0 to 4."""
    rng = np.random.default_rng(0)
    pairs = [(0, creator) for creator in range(5)]
    for viewer in range(1, 40):
        circle = np.arange(5) + 5 * (viewer % 2)
        pairs += [(viewer, int(creator)) for creator in rng.permutation(circle)[:4]]
    viewers, creators = np.array(pairs).T
    return viewers, creators
