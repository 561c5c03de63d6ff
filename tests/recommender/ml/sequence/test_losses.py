"""The loss is what it says it is, with gradients, whatever is left out of the sum."""

import pytest
import torch
from torch.nn import functional

from recommender.ml.sequence import losses
from recommender.ml.sequence.losses import Candidates, draw, next_item

World = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


@pytest.fixture
def world() -> World:
    """Return 50 places of 8 dimensions, 40 items and their biases."""
    torch.manual_seed(0)
    return torch.randn(50, 8), torch.randn(40, 8), torch.randn(40)


TARGET = torch.arange(50) % 40


def test_it_is_the_cross_entropy_over_all_items(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(losses, "CHUNK", 40 * 7)  # several slices, the last one shorter
    ours, theirs = ([value.clone().requires_grad_() for value in world] for _ in range(2))

    loss = next_item(ours[0], ours[1], ours[2], TARGET, None)
    expected = functional.cross_entropy(theirs[0] @ theirs[1].T + theirs[2], TARGET, reduction="sum")
    (3 * loss).backward()
    (3 * expected).backward()

    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    for own, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(own.grad, other.grad, rtol=1e-4, atol=1e-5)


def test_with_all_items_drawn_it_is_the_same(world: World) -> None:
    everything = Candidates(items=torch.arange(40), log_share=torch.zeros(40))

    assert float(next_item(*world, TARGET, everything)) == pytest.approx(
        float(next_item(*world, TARGET, None)), rel=1e-5
    )


def test_the_sum_over_drawn_items_is_right_on_average(world: World) -> None:
    """Σ exp(s) over the drawn, each divided by its chance, has the mean Σ exp(s) over all."""
    popular = torch.linspace(1, 5, 40)
    frequency = popular / popular.sum()
    weights = world[2].exp()
    sums = []
    for _ in range(4_000):
        targets = torch.multinomial(frequency, 20, replacement=True)
        drawn = draw(targets, frequency=frequency, count=10)
        sums.append((weights[drawn.items] / drawn.log_share.exp()).sum())

    assert float(torch.stack(sums).mean()) == pytest.approx(float(weights.sum()), rel=0.01)


def test_what_is_wanted_is_always_drawn() -> None:
    drawn = draw(torch.tensor([3, 3, 7]), frequency=torch.full((40,), 1 / 40), count=1)

    assert {3, 7} <= set(drawn.items.tolist())
    assert drawn.items.tolist() == sorted(set(drawn.items.tolist()))


def test_no_scores_are_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the way there and the way back stand gradients as large as what came in, not places × items."""
    kept: list[int] = []

    def note(held: torch.Tensor) -> torch.Tensor:
        kept.append(held.numel())
        return held

    monkeypatch.setattr(losses, "CHUNK", 40)
    with torch.autograd.graph.saved_tensors_hooks(note, lambda held: held):
        next_item(world[0].requires_grad_(), world[1], world[2], TARGET, None)

    assert sum(kept) <= 50 * 8 + 40 * 10
