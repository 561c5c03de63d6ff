"""Ten topics are told apart by their words, and a viewer's by what they watched."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from recommender.ml import content
from recommender.ml.arrays import Longs, Matrix
from recommender.ml.topic_classifier import Config, Epoch, TopicClassifier, fit

NAMES = [f"topic {at}" for at in range(10)]


@cache
def planted(seed: int, titles: int = 400) -> tuple[Matrix, Longs]:
    """Return items of ten topics: of a title's six words two are its topic's own, the others anybody's."""
    rng = np.random.default_rng(seed)
    about = rng.integers(0, 10, titles)
    said = [
        " ".join([*(f"own{at}x{word}" for word in rng.integers(0, 8, 2)), *(f"any{w}" for w in rng.integers(0, 50, 4))])
        for at in about
    ]
    rows = content.features(titles=said, tags=[[]] * titles, creators=np.full(titles, -1))
    return content.narrowed(rows, width=1024), about


@cache
def fitted(seed: int = 0) -> tuple[TopicClassifier, list[Epoch]]:
    rows, about = planted(1)
    epochs: list[Epoch] = []
    return fit(rows, about, names=NAMES, config=Config(), seed=seed, told=epochs.append), epochs


def test_topics_are_told_apart_by_their_words() -> None:
    classifier, epochs = fitted()
    rows, about = planted(2)

    assert (classifier.chances(rows).argmax(1) == about).mean() > 0.9
    assert [epoch.number for epoch in epochs] == list(range(1, 11))
    assert epochs[-1].accuracy > 0.9 > epochs[0].accuracy
    assert epochs[-1].loss < epochs[0].loss / 2


def test_with_shuffled_answers_it_knows_nothing() -> None:
    rows, about = planted(1)
    unseen, truth = planted(2)
    shuffled = np.random.default_rng(0).permutation(about)

    classifier = fit(rows, shuffled, names=NAMES, config=Config(), seed=0)

    assert (classifier.chances(unseen).argmax(1) == truth).mean() < 0.25


def test_the_loss_is_cross_entropy_of_logits() -> None:
    """The first epoch's loss in one batch is that of the network as it began: softmax is applied once."""
    rows, about = planted(1)
    config = Config(epochs=1, batch=len(about))
    epochs: list[Epoch] = []

    fit(rows, about, names=NAMES, config=config, seed=3, told=epochs.append)

    untrained = fit(rows, about, names=NAMES, config=Config(epochs=0), seed=3)
    logits = untrained.network(torch.as_tensor(rows.toarray()))
    assert epochs[0].loss == pytest.approx(cross_entropy(logits, torch.as_tensor(about)).item(), abs=1e-5)
    assert untrained.chances(rows) == pytest.approx(logits.softmax(1).detach().numpy(), abs=1e-6)


def test_the_same_seed_gives_the_same_network() -> None:
    rows, about = planted(1)
    again, other = (fit(rows, about, names=NAMES, config=Config(), seed=seed) for seed in (0, 1))

    assert np.array_equal(again.chances(rows), fitted()[0].chances(rows))
    assert not np.array_equal(other.chances(rows), fitted()[0].chances(rows))


def test_saved_and_loaded_it_says_the_same(tmp_path: Path) -> None:
    classifier, _ = fitted()
    rows, _ = planted(2)

    classifier.save(tmp_path)
    found = TopicClassifier.load(tmp_path)

    assert found.names == tuple(NAMES)
    assert np.array_equal(found.chances(rows), classifier.chances(rows))


def test_what_a_viewer_watched_is_an_interest_of_theirs() -> None:
    classifier, _ = fitted()
    rows, about = planted(2)
    watched = np.flatnonzero(about == 4)[:10]

    interest = classifier.chances(np.asarray(rows[watched].toarray().mean(0, keepdims=True), np.float32))

    assert interest.argmax() == 4


def test_vectors_of_texts_are_rows_as_well() -> None:
    rng = np.random.default_rng(0)
    vectors, about = rng.normal(size=(60, 8)).astype(np.float32), np.repeat([0, 1], 30)
    vectors[:, 0] += np.where(about, 3, -3)

    classifier = fit(vectors, about, names=["no", "yes"], config=Config(classes=2, epochs=30), seed=0)

    assert (classifier.chances(vectors).argmax(1) == about).all()
    assert classifier.chances(vectors[:0]).shape == (0, 2)


def test_narrower_rows_hold_the_same_words() -> None:
    rows = content.features(titles=["one two", "one"], tags=[[], []], creators=np.full(2, -1))

    narrow = content.narrowed(rows, width=7)

    assert narrow.shape == (2, 7)
    assert narrow.sum(1) == pytest.approx(rows.sum(1), abs=1e-6)


@pytest.mark.parametrize("wrong", [{"names": NAMES[:9]}, {"rows": np.zeros((0, 8), np.float32)}])
def test_wrong_classes_and_no_rows_are_refused(wrong: dict[str, Any]) -> None:
    asked: dict[str, Any] = {"rows": planted(1)[0], "names": NAMES} | wrong

    with pytest.raises(ValueError, match="classes"):
        fit(asked["rows"], planted(1)[1], names=asked["names"], config=Config(), seed=0)
