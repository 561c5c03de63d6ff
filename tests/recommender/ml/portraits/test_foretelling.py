"""What comes next: the GRU finds a pattern that one step back does not show, and knows nothing of what is withheld."""

import numpy as np
import pytest

from recommender.ml.portraits import behaviour, foretelling, sequences
from recommender.ml.portraits.block import Block
from recommender.ml.portraits.foretelling import Foreteller, learn
from recommender.ml.portraits.sequences import LENGTH, Sequences, Vocabulary
from tests.recommender.ml.portraits import planted

TOPICS = 8
CONTENTS = planted.contents(TOPICS, TOPICS)


def of(block: Block) -> tuple[Sequences, Vocabulary]:
    words = sequences.vocabulary(block.item, CONTENTS)
    return sequences.sequences(block, words, CONTENTS, offset_ms=0), words


@pytest.fixture(scope="module")
def learned() -> Foreteller:
    return learn(*of(planted.in_pairs(viewers=400, topics=TOPICS, length=24, seed=0)), seed=0)


@pytest.mark.parametrize("head", ["topic", "item", "hour"])
def test_the_gru_beats_markov_and_popularity(learned: Foreteller, head: str) -> None:
    told = learned.measured[head]

    assert learned.judged[head] > 150
    assert told["gru"]["hit@1"] > 0.9
    assert told["gru"]["hit@1"] > told["markov"]["hit@1"] + 0.1
    assert told["markov"]["hit@3"] > told["popularity"]["hit@3"] + 0.2
    assert learned.best[head] == "gru"


def test_what_is_foretold_for_a_viewer_continues_their_round(learned: Foreteller) -> None:
    block = planted.block(np.zeros(6), np.array([2, 3, 3, 4, 4, 5]), planted.NOW + np.arange(6) * planted.HOUR_MS)
    found = sequences.sequences(block, learned.words, CONTENTS, offset_ms=0)

    tokens, chances = foretelling.likeliest(learned.chances(found)["topic"])

    assert tokens[0, 0] - 1 == 5, "Seen once, it is seen again."
    assert chances[0, 0] > 0.5


def test_what_is_withheld_is_not_learned() -> None:
    found, _ = of(planted.in_pairs(viewers=5, topics=TOPICS, length=6, seed=0))
    other = {head: targets.copy() for head, targets in found.targets.items()}
    for head in sequences.HEADS:
        rows, places = sequences.withheld(found, head)
        other[head][rows, places] = 1

    changed = Sequences(found.viewers, found.tokens, other, found.is_last)

    assert len(sequences.withheld(found, "topic")[0]) == 5
    for head in sequences.HEADS:
        assert np.array_equal(sequences.learned(changed, head), sequences.learned(found, head))


def test_the_future_does_not_change_the_past() -> None:
    found, words = of(planted.in_pairs(viewers=3, topics=TOPICS, length=40, seed=0))
    gru = behaviour.Behaviour(behaviour.Config(words.sizes)).eval()
    later = {head: tokens.copy() for head, tokens in found.tokens.items()}
    later["topic"][:, -1] = 1
    middle = np.full(3, LENGTH - 2)

    one, other = (
        behaviour.foretell(gru, Sequences(found.viewers, tokens, found.targets, found.is_last), places=middle)
        for tokens in (found.tokens, later)
    )

    assert np.allclose(one["topic"], other["topic"])


def test_the_next_visit_begins_after_a_pause() -> None:
    minutes = np.array([0, 5, 120, 125, 400])
    block = planted.block(np.zeros(5), np.arange(5), minutes * 60_000)

    found, _ = of(block)

    assert found.tokens["hour"][0, -5:].tolist() == [1, 1, 3, 3, 7]
    assert found.targets["hour"][0, -5:].tolist() == [3, 3, 7, 7, 0]
    assert found.targets["topic"][0, -5:].tolist() == [2, 3, 4, 5, 0]
    assert not found.tokens["hour"][0, :-5].any()


def test_few_viewers_are_told_what_is_popular() -> None:
    found, words = of(planted.in_pairs(viewers=3, topics=TOPICS, length=6, seed=0))

    told = learn(found, words, seed=0)

    assert set(told.best.values()) == {"popularity"}
    assert told.chances(found)["topic"].shape == (3, TOPICS + 1)


def test_one_event_and_none_are_no_mistake() -> None:
    single, words = of(planted.block(np.zeros(1), np.zeros(1), np.zeros(1)))
    nobody = planted.block(np.zeros(0), np.zeros(0), np.zeros(0))

    told = learn(single, words, seed=0)

    assert told.chances(single)["item"].shape == (1, 2)
    assert len(told.chances(of(nobody)[0])["hour"]) == 0


def test_one_batch_is_learned_by_heart() -> None:
    found, words = of(planted.in_pairs(viewers=8, topics=TOPICS, length=10, seed=4))
    config = behaviour.Config(words.sizes, dropout=0.0, epochs=150)

    model = behaviour.fit(found, config=config, seed=0)

    scores = behaviour.foretell(model, found, places=np.full(8, LENGTH - 4))["topic"]
    assert (scores.argmax(1) == found.targets["topic"][:, LENGTH - 4]).all()
