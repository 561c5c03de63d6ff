"""A network over a viewer and an item: what must hold beside what holds for every model."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from recommender.ml import models, ncf
from recommender.ml.arrays import Floats
from recommender.ml.interactions import Interactions
from recommender.ml.judgement import judge
from recommender.ml.likes import liked, pooling
from recommender.ml.model import Model
from recommender.ml.ncf import NCF, Batch, Config
from recommender.ml.pair_network import sigmoid
from recommender.ml.splits import Split, leave_one_out
from tests.recommender.ml import make
from tests.recommender.ml.test_cold import told

SMALL = Config(width=8, hidden=4, epochs=40, batch=16)


def batch_of(train: Interactions) -> Batch:
    (batch,) = ncf._batches(
        liked(train, np.arange(train.shape[0], dtype=np.int32)),
        replace(SMALL, batch=100),
        np.random.default_rng(0),
        "cpu",
    )
    return batch


def network(train: Interactions, config: Config = SMALL) -> NCF:
    torch.manual_seed(0)
    return NCF(config, popularity=np.zeros(train.shape[1], np.float32), features=ncf._features(train))


def everyone(model: Model, train: Interactions) -> Floats:
    return model.score(replace(train), np.arange(train.shape[0], dtype=np.int32))


def test_what_is_said_is_a_chance() -> None:
    train, _ = make.two_tastes()

    said = everyone(ncf.fit(train, config=replace(SMALL, epochs=5)), train)

    assert said.min() > 0
    assert said.max() < 1


def test_the_gradient_reaches_viewer_item_and_what_is_told_of_it() -> None:
    train = told()
    model = network(train)

    model.loss(batch_of(train)).backward()

    for name, weights in model.named_parameters():
        assert weights.grad is not None, name
        assert weights.grad.abs().sum() > 0, name


def test_one_batch_is_learned_by_heart() -> None:
    train, _ = make.two_tastes()
    model, batch = network(train, replace(SMALL, dropout=0.0)), batch_of(train)
    descent = torch.optim.Adam(model.parameters(), lr=0.02)
    losses = []

    for _ in range(300):
        descent.zero_grad()
        loss = model.loss(batch)
        loss.backward()
        descent.step()
        losses.append(loss.item())

    assert losses[-1] < 0.1 * losses[0]


def test_the_loss_counts_what_was_drawn_for_all_that_was_not() -> None:
    """Of four items one is hidden and found with 1/2; of the others two are drawn, one liked: log 2 + 4/2 · log 2."""
    model = NCF(replace(SMALL, dropout=0.0), popularity=np.zeros(4, np.float32), features=torch.zeros(4, 0))
    with torch.no_grad():
        for weights in model.parameters():
            weights.zero_()
    batch = Batch(
        shown=torch.zeros(1, 4),
        row=torch.tensor([0]),
        item=torch.tensor([3]),
        drawn=torch.tensor([1, 2]),
        liked=torch.tensor([[True, False]]),
    )

    assert model.loss(batch).item() == pytest.approx(3 * np.log(2))


def test_numpy_says_what_torch_says() -> None:
    train = told()
    model = network(train).eval()
    served = ncf._served(train, model)
    shown = torch.from_numpy(pooling(liked(train, np.arange(train.shape[0], dtype=np.int32))).toarray())

    with torch.no_grad():
        logits = model.logits(model.viewers(shown)[:, None], model.items(), model.bias)

    assert everyone(served, train) == pytest.approx(torch.sigmoid(logits).numpy(), abs=1e-5)


def test_it_beats_what_is_popular_on_data_that_were_planted_for_it() -> None:
    """Who likes item 2n likes 2n + 1, and everyone likes item 40: what is popular tells nobody apart."""
    rng = np.random.default_rng(0)
    rows = [(u, int(i), 1.0) for u in range(200) for n in rng.permutation(20)[:4] for i in 2 * n + rng.permutation(2)]
    split = leave_one_out(make.interactions(*[(u, 40, 1.0) for u in range(200)], *rows))

    ours = models.fit("ncf", split.train, settings={"width": 16, "epochs": 60, "batch": 32, "rate": 0.03})
    popular = models.fit("popularity", split.train)

    assert hits(ours, split) > 0.5
    assert hits(popular, split) < 0.2


def hits(model: Model, split: Split) -> float:
    return float(judge(model, split, k=3).scores["hr@3"].mean())


def test_likes_are_a_set_and_refusals_none() -> None:
    train = make.interactions((1, 0, 1), (1, 2, 1), (1, 2, 1), (1, 1, -4), (2, 1, 1))

    found = liked(train, np.array([1, 0], np.int32))

    assert found.toarray().tolist() == [[0, 1, 0], [1, 0, 1]]
    assert pooling(found).toarray() == pytest.approx(np.array([[0, 1, 0], [0.5**0.5, 0, 0.5**0.5]]))


def test_the_sigmoid_does_not_overflow() -> None:
    assert sigmoid(np.array([-200, 0, 200], np.float32)) == pytest.approx([0, 0.5, 1])
