"""Any head goes on any encoder, and each of them learns."""

from typing import Any

import pytest
import torch
from transformers import BertConfig, BertModel

from recommender.ml.text_heads import Embed, averaged, headed

PIECES = {
    "input_ids": torch.tensor([[2, 5, 6, 3], [2, 7, 3, 0]]),
    "attention_mask": torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]]),
}


def encoder() -> BertModel:
    torch.manual_seed(0)
    small: dict[str, Any] = {
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 32,
    }
    found: BertModel = BertModel(BertConfig(vocab_size=8, **small), add_pooling_layer=False).train(mode=False)
    return found


def test_a_mean_leaves_padding_out() -> None:
    last = torch.tensor([[[2.0, 0.0], [4.0, 2.0], [100.0, 100.0]]])

    assert averaged(last, torch.tensor([[1, 1, 0]])).tolist() == [[3.0, 1.0]]
    assert Embed()(last, torch.tensor([[1, 0, 0]])).tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize(("head", "shape"), [("embed", (2, 16)), ("classify", (2, 3)), ("tag", (2, 4, 3))])
def test_each_head_has_its_shape(head: str, shape: tuple[int, ...]) -> None:
    assert headed(encoder(), head, classes=3)(PIECES).shape == shape


@pytest.mark.parametrize(("head", "truth"), [("classify", [0, 2]), ("tag", [[0, 1, 2, 0], [2, 1, 0, -100]])])
def test_a_head_learns_a_batch_by_heart_through_its_encoder(head: str, truth: list[int]) -> None:
    model, target = headed(encoder(), head, classes=3), torch.tensor(truth)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(60):
        error = torch.nn.functional.cross_entropy(model(PIECES).movedim(-1, 1), target)
        optimiser.zero_grad()
        error.backward()
        optimiser.step()

    said = model(PIECES).argmax(-1)

    assert torch.equal(said[target >= 0], target[target >= 0])


def test_a_head_that_nobody_knows_is_no_head() -> None:
    with pytest.raises(KeyError):
        headed(encoder(), "translate")
