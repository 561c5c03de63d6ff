"""The table of what happened, and what is told of items."""

import numpy as np

from recommender.ml.attributes import gather_attributes
from tests.recommender.ml import make


def test_events_are_told_in_the_words_of_another_model() -> None:
    data = make.interactions((1, 10, 1), (1, 20, 2), (2, 30, 1))

    told = data.in_words_of(np.array([5, 20, 30]))

    assert told.item.tolist() == [1, 2]
    assert told.viewer.tolist() == [0, 1]
    assert told.weight.tolist() == [2, 1]
    assert told.viewer_ids is data.viewer_ids


def test_only_the_latest_events_of_each_viewer_are_kept() -> None:
    data = make.interactions((1, 10, 1), (1, 20, 1), (1, 30, 1), (2, 10, 1))

    assert data.item_ids[data.latest(2).item].tolist() == [20, 30, 10]


def test_what_was_met_twice_is_rated_once() -> None:
    data = make.interactions((1, 10, 1), (2, 20, 1), (2, 10, 3), (2, 20, 2))

    items, weights = data.rated(1)

    assert data.item_ids[items].tolist() == [10, 20]
    assert weights.tolist() == [3, 3]


def test_attributes_stand_in_the_order_of_the_items() -> None:
    given = gather_attributes(
        item=np.array([30, 10]),
        creator=np.array([7, -1]),
        tags=[["jazz", "piano"], ["piano"]],
        duration_ms=np.array([3, 1]),
        published_at=np.array([300, 100]),
        title=["thirty", "ten"],
        item_ids=np.array([10, 20, 30]),
    )

    assert given.title == ("ten", "", "thirty")
    assert given.creator.tolist() == [-1, -1, 0]
    assert given.tag_names == ("jazz", "piano")
    assert given.tags.toarray().tolist() == [[0, 1], [0, 0], [1, 1]]
    assert (given.duration_ms.tolist(), given.published_at.tolist()) == ([1, 0, 3], [100, 0, 300])


def test_nothing_told_is_nothing_known() -> None:
    nothing = np.zeros(0, np.int64)

    given = gather_attributes(
        item=nothing,
        creator=nothing,
        tags=[],
        duration_ms=nothing,
        published_at=nothing,
        title=[],
        item_ids=np.array([1, 2]),
    )

    assert given.title == ("", "")
    assert given.tags.shape == (2, 0)
