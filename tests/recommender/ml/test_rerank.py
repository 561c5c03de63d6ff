"""MMR and DPP against what their definitions say, word for word, and several lists as one."""

from itertools import product

import numpy as np
import pytest

from recommender.ml.arrays import Floats
from recommender.ml.dpp import APART, Dpp
from recommender.ml.mmr import Mmr
from recommender.ml.rank_fusion import fused

MANY, WIDE = 24, 6


def candidates(seed: int) -> tuple[Floats, Floats]:
    """Return unit vectors, one of nothing among them, and relevances."""
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(MANY, WIDE)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[3] = 0
    return vectors, rng.random(MANY).astype(np.float32)


def page(method: Mmr | Dpp, relevance: Floats, size: int) -> list[int]:
    placed: list[int] = []
    for _ in range(size):
        scores = method.scores(relevance)
        scores[placed] = -np.inf
        placed.append(int(scores.argmax()))
        method.place(method.vectors[placed[-1]])
    return placed


@pytest.mark.parametrize(("seed", "diversity"), list(product(range(5), [0.0, 0.15, 0.5, 0.9])))
def test_mmr_is_its_definition(seed: int, diversity: float) -> None:
    vectors, relevance = candidates(seed)

    expected: list[int] = []
    for _ in range(10):
        worth = {
            i: (1 - diversity) * relevance[i]
            - diversity * max([0.0, *(float(vectors[i] @ vectors[j]) for j in expected)])
            for i in range(MANY)
            if i not in expected
        }
        expected.append(max(worth, key=worth.__getitem__))

    assert page(Mmr(vectors, diversity=diversity), relevance, 10) == expected


@pytest.mark.parametrize(("seed", "diversity"), list(product(range(5), [0.05, 0.3, 0.7])))
def test_dpp_adds_what_makes_the_determinant_largest(seed: int, diversity: float) -> None:
    vectors, relevance = candidates(seed)
    quality = np.exp((1 - diversity) / (2 * diversity) * relevance.astype(np.float64))
    kernel = quality[:, None] * (vectors.astype(np.float64) @ vectors.T) * quality
    kernel[np.diag_indices(MANY)] = (1 + APART) * quality**2

    expected: list[int] = []
    for _ in range(6):
        volume = {
            i: np.linalg.det(kernel[np.ix_([*expected, i], [*expected, i])]) for i in range(MANY) if i not in expected
        }
        expected.append(max(volume, key=volume.__getitem__))

    assert page(Dpp(vectors, diversity=diversity), relevance, 6) == expected


@pytest.mark.parametrize("method", [Mmr, Dpp])
def test_of_two_equal_items_the_second_gives_way_to_one_that_is_unlike(method: type[Mmr | Dpp]) -> None:
    same, other = [1.0, 0.0], [0.0, 1.0]
    vectors, relevance = np.array([same, same, other], np.float32), np.array([1.0, 0.9, 0.5], np.float32)

    assert page(method(vectors, diversity=0.0), relevance, 3) == [0, 1, 2]
    assert page(method(vectors, diversity=0.5), relevance, 3) == [0, 2, 1]


@pytest.mark.parametrize("method", [Mmr, Dpp])
def test_what_stands_there_need_not_be_a_candidate(method: type[Mmr | Dpp]) -> None:
    vectors, relevance = np.eye(2, dtype=np.float32), np.array([0.6, 0.5], np.float32)
    beside = method(vectors, diversity=0.5)

    beside.place(np.array([1, 0], np.float32))

    assert beside.scores(relevance).argmax() == 1


def test_what_two_lists_agree_on_comes_first() -> None:
    assert fused([(1.0, "abc"), (1.0, "cbd")]) == ["c", "b", "a", "d"]  # 1/61 + 1/63 > 2/62
    assert fused([(1.0, "abc"), (0.25, "cbd")]) == ["b", "c", "a", "d"]


def test_a_list_of_no_weight_only_fills_up() -> None:
    assert fused([(1.0, "ab"), (0.0, "xa")]) == ["a", "b", "x"]
