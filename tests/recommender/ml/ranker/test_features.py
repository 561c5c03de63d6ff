"""Features: the future does not change the past, and serving computes what training did."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.ml.ranker import circumstances
from recommender.ml.ranker.facts import Asked, Log, asked
from recommender.ml.ranker.features import (
    DAYS_MS,
    GROUPS,
    NAMES,
    RATES,
    Scale,
    features,
    group_of,
    silenced,
    table,
)
from recommender.ml.ranker.own import features_by
from tests.recommender.ml.make import NOON
from tests.recommender.ml.ranker import planted


def test_every_feature_has_a_name_and_is_a_number() -> None:
    told = planted.examples(planted.world()).features

    assert told.shape[1] == len(NAMES) == len(set(NAMES))
    assert np.isfinite(told).all()


def test_every_feature_is_of_one_group_that_can_be_left_out() -> None:
    told = np.ones((1, len(NAMES)), np.float32)

    left = {group: silenced(told, [group]).sum() for group in GROUPS}

    assert sum(len(NAMES) - kept for kept in left.values()) == len(NAMES)
    assert all(0 < kept < len(NAMES) for kept in left.values())
    assert silenced(told, GROUPS).sum() == 0
    assert group_of("with_creator_long") == "pair"
    assert group_of("viewer_lately_ratio") == "viewer"
    assert group_of("pause") == "moment"
    assert group_of("on_phone") == group_of("by_wifi") == "context"
    assert group_of("creator_long_recent") == "item"


def test_the_future_does_not_change_the_past() -> None:
    world = planted.world()
    rows = np.arange(len(world.log))
    moment = int(np.median(world.log.at))
    before = rows[world.log.at < moment]
    past = world.log.where(before)

    told = features(world.log, world.items, world.scale, asked(world.log, before))
    alone = features(past, world.items, world.scale, asked(past, np.arange(len(past))))

    assert np.array_equal(told, alone)


def test_what_came_of_a_view_is_not_in_its_own_features() -> None:
    world = planted.world()
    last = np.flatnonzero(np.append(world.log.viewer[1:] != world.log.viewer[:-1], True))
    other = world.log.long_view.copy()
    other[last] = 1 - other[last]

    told = features(world.log, world.items, world.scale, asked(world.log, last))
    changed = features(replace(world.log, long_view=other), world.items, world.scale, asked(world.log, last))

    assert np.array_equal(told[:, NAMES.index("viewer_long")], changed[:, NAMES.index("viewer_long")])
    assert np.array_equal(told[:, NAMES.index("with_item_long")], changed[:, NAMES.index("with_item_long")])


def test_a_request_is_told_what_a_row_of_training_is_told() -> None:
    world = planted.world()
    day = int(world.log.at.max()) // DAYS_MS * DAYS_MS
    rows = np.flatnonzero(world.log.at >= day)
    known = table(world.log, world.items, world.scale, at=day)

    trained = features(world.log, world.items, world.scale, asked(world.log, rows))
    for row, told in zip(rows, trained, strict=True):
        own = world.log.of(int(world.log.viewer[row]))
        own = own.where(own.at < world.log.at[row])
        served = features_by(known, own, world.items, world.scale, asked(world.log, np.array([row])))
        assert np.allclose(served[0], told, atol=1e-6)


def test_rates_are_sums_of_what_came_before() -> None:
    world = planted.world()
    row = np.array([20])  # viewer 0's 21st view
    told = dict(zip(NAMES, features(world.log, world.items, world.scale, asked(world.log, row))[0], strict=True))

    long_share = world.scale.usual[0]
    assert told["viewer_met"] == pytest.approx(np.log1p(20))
    assert told["viewer_long"] == pytest.approx((world.log.long_view[:20].sum() + 10 * long_share) / 30)
    assert told["viewer_lately_long"] == pytest.approx((world.log.long_view[10:20].sum() + 10 * long_share) / 20)
    assert told["pause"] == pytest.approx(np.log1p(90))


def test_what_nobody_knows_is_told_as_usual() -> None:
    world = planted.world()
    empty = world.log.where(np.zeros(len(world.log), np.bool_))
    stranger = Asked(
        np.array([0]), np.array([len(world.items)]), np.array([NOON]), np.array([NOON]), np.zeros(1, np.int8)
    )

    told = features_by(table(empty, world.items, world.scale, at=NOON), empty, world.items, world.scale, stranger)

    usual = dict(zip(NAMES, told[0], strict=True))
    assert usual["viewer_met"] == usual["item_met"] == 0
    assert usual["viewer_long"] == usual["item_long"] == pytest.approx(world.scale.usual[0])
    assert usual["pause"] == usual["age"] == -1
    assert usual["viewer_left"] == pytest.approx(world.scale.usual[RATES.index("left") - 2])


def test_a_log_of_nothing_has_a_scale() -> None:
    items = planted.items()
    nothing = Log.gather(planted.events(viewers=0), items)

    assert np.isfinite(Scale.of(nothing, items).usual).all()


def test_on_what_it_is_watched_is_told_as_columns_and_read_back() -> None:
    codes = np.array([circumstances.code(device, network) for device in range(5) for network in range(3)], np.int8)

    told = circumstances.columns(codes)

    assert told[0].tolist() == [0] * len(circumstances.NAMES)
    assert np.array_equal(circumstances.codes(told), codes)
    phone_by_wifi = circumstances.columns(np.array([circumstances.code(1, 1)], np.int8))[0]
    assert dict(zip(circumstances.NAMES, phone_by_wifi, strict=True)) == {
        "on_phone": 1,
        "on_tablet": 0,
        "on_desktop": 0,
        "on_tv": 0,
        "by_wifi": 1,
        "by_cellular": 0,
    }
