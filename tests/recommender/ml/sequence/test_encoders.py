"""Every encoder learns what comes next, from what came before alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from recommender.ml import saved
from recommender.ml.arrays import Floats
from recommender.ml.interactions import Interactions
from recommender.ml.sequence.config import settled
from recommender.ml.sequence.encoders import ENCODERS
from recommender.ml.sequence.fitted import Fitted
from recommender.ml.sequence.fitting import fit
from recommender.ml.sequence.losses import next_item
from recommender.ml.sequence.network import Network
from recommender.ml.sequence.served import SequenceModel
from recommender.ml.splits import leave_one_out
from tests.recommender.ml.sequence import planted

every_encoder = pytest.mark.parametrize("encoder", ENCODERS)


def scores(model: Fitted | SequenceModel, data: Interactions) -> Floats:
    return model.score(data, np.arange(data.shape[0], dtype=np.int32))


def untrained(encoder: str, *, items: int = 30) -> Fitted:
    """Return a network whose every weight is drawn, so that nothing is hidden by a zero."""
    torch.manual_seed(1)
    config = settled(planted.small(encoder, length=24), lengths=np.array([24]), items=items)
    network = Network(config, popularity=np.zeros(items, np.float32)).eval()
    for weight in network.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    torch.nn.init.constant_(network.sharpness, 0.2)
    return Fitted(encoder, np.arange(items), network, config.length, "cpu")


@every_encoder
def test_the_withheld_item_comes_first(encoder: str) -> None:
    split = leave_one_out(planted.both_ways())

    said = scores(fit(split.train, config=planted.small(encoder), device="cpu"), split.train)

    unseen = np.where(split.train.seen().toarray() > 0, -np.inf, said)
    assert np.mean(unseen[split.test.viewer].argmax(1) == split.test.item) > 0.9


@every_encoder
def test_the_future_does_not_change_the_past(encoder: str) -> None:
    """What is said at a place is the same whatever the items and moments after it."""
    network = untrained(encoder).network
    told = {name: torch.randint(0, 60, (2, 9)) for name in ("gaps", "waits")}
    vectors, relations = torch.randn(2, 9, 32), torch.randint(0, 1024, (2, 9, 9)).tril().int()
    relations[:, *np.triu_indices(9, 1)] = 1024
    before = network(vectors, **told, relations=relations)

    vectors[:, 5:] += 1
    told = {name: buckets.index_fill(1, torch.arange(5, 9), 7) for name, buckets in told.items()}
    relations[:, 5:, :] = relations[:, 5:, :].clamp(max=3)
    relations[:, *np.triu_indices(9, 1)] = 1024
    after = network(vectors, **told, relations=relations)

    assert torch.equal(before[:, :5], after[:, :5])
    assert (before[:, 5:] - after[:, 5:]).abs().amin(0).max() > 1e-3


@every_encoder
def test_one_batch_is_learned_by_heart(encoder: str) -> None:
    network = untrained(encoder).network.train()
    items, targets = torch.randint(0, 30, (4, 12)), torch.randint(0, 30, (4, 12))
    nothing = torch.zeros(4, 12, dtype=torch.int64)
    back = torch.where(torch.ones(12, 12).tril() > 0, 0, 1024).expand(4, -1, -1)
    descent = torch.optim.Adam(network.parameters(), lr=0.01)

    for _ in range(150):
        table = network.vectors()
        said = network(table[items], nothing, nothing, back)  # (4, 12, D)
        loss = next_item(said.flatten(0, 1), table, network.bias, targets.flatten(), None) / 48
        descent.zero_grad()
        loss.backward()
        descent.step()

    assert loss.item() < 0.1


@every_encoder
def test_what_is_served_says_what_was_trained(encoder: str, tmp_path: Path) -> None:
    """torch and onnxruntime agree, for histories of all lengths, also none, and longer ones than are read."""
    model = untrained(encoder)
    data = planted.rounds(viewers=7, each=40, items=30)
    data = data.where(np.arange(len(data)) - data.starts[data.viewer] < 1 + 6 * data.viewer)
    asked = replace(data, asked_at=np.where(data.viewer_ids % 2, -1, data.at.max() + 60_000 * data.viewer_ids))

    model.save(tmp_path)
    served = saved.load(tmp_path)

    assert isinstance(served, SequenceModel)
    assert scores(served, asked) == pytest.approx(scores(model, asked), abs=1e-4)
    nobody = replace(data.where(data.viewer < 0), asked_at=asked.asked_at)
    assert scores(served, nobody) == pytest.approx(np.tile(served.item_bias, (7, 1)))


def test_one_viewers_vector_is_that_of_the_batch(tmp_path: Path) -> None:
    model = untrained("transformer").served()
    data = planted.rounds(viewers=3, each=40, items=30)
    asked = replace(data, asked_at=np.full(3, data.at.max() + 5_000))

    alone = model.vector(data.item[data.of(1)], data.at[data.of(1)], asked_at=int(data.at.max()) + 5_000)

    assert alone == pytest.approx(model.vectors(asked, np.array([1], np.int32))[0], abs=1e-5)
    assert not model.vector(data.item[:0], data.at[:0]).any()


def test_when_one_is_asked_matters() -> None:
    """After a pause viewers want something else; the model knows when it is told the moment, and only then."""
    data = planted.pauses()
    model = fit(data, config=planted.small("transformer", untold=0.0, epochs=120), device="cpu")
    soon = replace(data, asked_at=data.at[data.starts[1:] - 1] + planted.MINUTE)
    late = replace(data, asked_at=data.at[data.starts[1:] - 1] + planted.DAY)

    favourite = {name: scores(model, told).argmax(1) for name, told in (("soon", soon), ("late", late))}

    assert np.mean(favourite["soon"] % 2 == 0) > 0.8  # by chance 0.5
    assert np.mean(favourite["late"] % 2 == 1) > 0.8
