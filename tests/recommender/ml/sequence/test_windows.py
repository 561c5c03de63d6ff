"""Windows hold what a viewer wanted, in order, and what came next."""

import numpy as np
import pytest
import torch

from recommender.ml.sequence import times, windows
from recommender.ml.sequence.histories import batches, latest
from recommender.ml.sequence.stepping import generator
from recommender.ml.sequence.windows import Chosen, Windows
from tests.recommender.ml import make
from tests.recommender.ml.sequence import planted

DISTANCES = np.array([0, 1, 2, 3, 5, 6, 8, 1_000, 86_400, 2**31 - 1], np.int32)


def test_numpy_and_torch_see_the_same_buckets() -> None:
    since = np.sort(np.random.default_rng(0).integers(0, 10**8, (3, 7)), axis=1).astype(np.int32)

    assert np.array_equal(times.half_octaves(DISTANCES, 64), windows.half_octaves(torch.from_numpy(DISTANCES), 64))
    assert np.array_equal(times.relations(since), windows.relations(torch.from_numpy(since)))


def test_a_bucket_is_half_an_octave() -> None:
    assert times.half_octaves(DISTANCES, 64).tolist() == [0, 2, 3, 4, 5, 5, 6, 19, 32, 62]


def test_a_wait_is_the_time_to_the_next_and_at_last_to_the_asking() -> None:
    at = np.array([[0, 1_000, 3_000, 3_000], [0, 0, 0, 0]])

    told = times.waits(at, np.array([3, 1]), np.array([10_000, -1]))

    assert told[0, :3].tolist() == times.half_octaves(np.array([1, 2, 7], np.int32), 64).tolist()
    assert (told[1] == times.UNTOLD).all()


@pytest.mark.parametrize("tokens", [16, 64, 10_000])
def test_an_epoch_has_every_viewers_next_items(tokens: int) -> None:
    data = planted.rounds(viewers=20, each=9)
    found = Windows(data, length=16, tokens=tokens, untold=0.0, device="cpu")

    pairs: list[tuple[int, int]] = []
    for chosen in found.epoch(generator(0, 0)):
        batch = found.batch(chosen, pairwise=True)
        real = batch.targets >= 0
        assert int(chosen.lengths.max()) * len(chosen.starts) <= max(tokens, 16)
        pairs += zip(batch.items[real].tolist(), batch.targets[real].tolist(), strict=True)

    assert sorted(pairs) == sorted((item, (item + 1) % planted.ITEMS) for v in range(20) for item in _all_but_last(v))


def _all_but_last(viewer: int) -> list[int]:
    return [(viewer * 5 + step) % planted.ITEMS for step in range(8)]


def test_long_histories_are_seen_in_windows_that_move() -> None:
    data = planted.rounds(viewers=1, each=100)
    found = Windows(data, length=10, tokens=64, untold=0.0, device="cpu")

    starts = [int(found.epoch(generator(0, epoch))[0].starts) for epoch in range(40)]

    assert starts.count(89) > 10  # which end where the history ends
    assert len(set(starts)) > 10
    assert max(starts) <= 89


def test_what_training_sees_is_what_serving_sees() -> None:
    data = planted.rounds(viewers=2, each=9)
    found = Windows(data, length=16, tokens=64, untold=0.0, device="cpu")
    batch = found.batch(Chosen(torch.tensor([0]), torch.tensor([8])), pairwise=True)

    told = latest(data.where(np.arange(len(data)) % 9 < 8), np.array([0], np.int32), length=16)
    read = told._replace(asked_at=data.at[8:9]).inputs(pairwise=True)

    assert batch.items.tolist() == told.items.tolist()
    assert all(np.array_equal(getattr(batch, name), read[name]) for name in ("gaps", "waits", "relations"))


def test_what_was_not_wanted_is_no_history() -> None:
    data = make.interactions((0, 1, 1.0), (0, 2, -1.0), (0, 3, 1.0), (1, 2, -1.0))

    told = latest(data, np.array([1, 0], np.int32), length=16)

    assert told.lengths.tolist() == [0, 2]
    assert data.item_ids[told.items[1]].tolist() == [1, 3]


def test_batches_of_histories_hold_every_viewer_once() -> None:
    data = planted.rounds(viewers=30, each=20)
    data = data.where(np.arange(len(data)) - data.starts[data.viewer] < data.viewer)
    viewers = np.arange(30, dtype=np.int32)[::-1]

    seen = [
        (viewers[place], length)
        for places, told in batches(data, viewers, length=8)
        for place, length in zip(places, told.lengths, strict=True)
    ]

    assert sorted(seen) == [(viewer, min(viewer, 8)) for viewer in range(30)]
