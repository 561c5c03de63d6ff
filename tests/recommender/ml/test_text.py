"""Texts as vectors: like stands near like, in English by MiniLM and in any language by hashed words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from recommender.ml import bag, text
from recommender.ml.arrays import Floats
from recommender.ml.text import Encoder, NoEncoder, encoded, understood, weights_folder


@dataclass(frozen=True)
class Counting:
    """An encoder that says the length of a text and remembers what it was asked."""

    name: str = "counting"
    width: int = 2
    asked: list[str] = field(default_factory=list)

    def vectors(self, texts: Sequence[str]) -> Floats:
        self.asked.extend(texts)
        return np.array([[len(text), 1] for text in texts], np.float32)


@pytest.fixture(scope="module")
def minilm() -> Encoder:
    folder = weights_folder()
    assert folder is not None
    return Encoder.of(folder)


def test_a_bag_of_words_is_the_same_every_time_and_of_length_one() -> None:
    texts = ["How to read a score", "一周学会钢琴", ""]

    vectors = bag.bags(texts)

    assert np.array_equal(vectors, bag.bags(texts))
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 0])


def test_texts_of_common_words_stand_nearer_than_others() -> None:
    piano, again, cooking = bag.bags(["一周学会弹钢琴", "零基础学会弹钢琴的窍门", "三步做好红烧肉"])

    assert piano @ again > 0.3
    assert abs(piano @ cooking) < 0.2


def test_chinese_is_divided_into_words_and_english_at_its_spaces() -> None:
    assert bag.words("Don't 学习 C大调, twice!") == ["don't", "学习", "c", "大调", "twice"]


def test_pairs_of_characters_stand_beside_a_long_chinese_word() -> None:
    assert bag.words("巧克力") == ["巧克力", "~巧克", "~克力"]
    assert bag.weights("巧克力")["~巧克"] == bag.PAIR


def test_how_often_a_word_stands_there_counts_by_its_logarithm() -> None:
    assert bag.weights("go go stop") == {"go": pytest.approx(1 + np.log(2)), "stop": 1}


def test_the_packaged_encoder_knows_what_means_the_same(minilm: Encoder) -> None:
    piano, keys, soup = minilm.vectors(["learn to play the piano", "first keyboard lesson", "how to cook soup"])

    assert piano @ keys > piano @ soup + 0.1
    assert np.linalg.norm(piano) == pytest.approx(1, abs=1e-5)


def test_the_encoder_says_nothing_of_what_it_cannot_read(minilm: Encoder) -> None:
    vectors = minilm.vectors(["讲得比我们老师清楚多了", "a clear lesson", ""])

    assert understood(vectors).tolist() == [False, True, False]


def test_a_text_among_longer_ones_gets_the_vector_it_has_alone(minilm: Encoder) -> None:
    together = minilm.vectors(["short", "a text that is quite a lot longer than the first one " * 40])

    assert together[0] == pytest.approx(minilm.vectors(["short"])[0], abs=1e-5)


def test_a_text_is_encoded_once_and_again_when_it_changes(tmp_path: Path) -> None:
    encoder, kept = Counting(), tmp_path / "texts" / "vectors.sqlite"

    first = encoded(["one", "three", "one"], encoder=encoder, kept=kept)
    second = encoded(["three", "four"], encoder=encoder, kept=kept)

    assert encoder.asked == ["one", "three", "four"]
    assert (first[:, 0].tolist(), second[:, 0].tolist()) == ([3, 5, 3], [5, 4])


def test_what_another_encoder_said_is_not_taken_for_this_ones(tmp_path: Path) -> None:
    one, other = Counting(), Counting(name="other")
    for encoder in (one, other):
        encoded(["text"], encoder=encoder, kept=tmp_path / "vectors.sqlite")

    assert one.asked == other.asked == ["text"]


def test_of_many_new_texts_some_wait_for_the_next_time(tmp_path: Path) -> None:
    encoder, kept, texts = Counting(), tmp_path / "vectors.sqlite", ["a", "bb", "ccc"]

    seen = [understood(encoded(texts, encoder=encoder, kept=kept, most=2)).tolist() for _ in range(2)]

    assert seen == [[True, True, False], [True, True, True]]


def test_without_a_place_to_keep_them_texts_are_encoded_all_the_same() -> None:
    vectors = encoded(["a", "bb", "a"], encoder=Counting(), most=2)

    assert vectors[:2, 0].tolist() == [1, 2]
    assert not understood(vectors)[2]


def test_no_text_at_all_is_no_vector(tmp_path: Path) -> None:
    assert encoded([], encoder=Counting(), kept=tmp_path / "vectors.sqlite").shape == (0, 2)
    assert bag.bags([]).shape == (0, bag.WIDTH)


def test_a_folder_without_a_model_is_refused_by_code(tmp_path: Path) -> None:
    with pytest.raises(NoEncoder) as refused:
        Encoder.of(tmp_path)

    assert refused.value.code == "no_encoder"


def test_a_mounted_folder_comes_before_the_packaged_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert weights_folder(tmp_path) == tmp_path
    monkeypatch.setattr(text, "PACKAGE", "not_installed_anywhere")
    assert weights_folder() is None
