"""Softmax over the catalogue, or over many shared negatives: which item came next?

loss = −log( exp(s_target) / Σ_j exp(s_j) ),  s = h · e + b.  The sum runs over all V items or, in a large catalogue,
over candidates of which j is one with probability π_j, each counted as exp(s_j) / π_j: the sum's unbiased estimate
(Horvitz and Thompson, 1952; "logQ correction" in Bengio and Senécal, 2008). What was wanted is counted as exp(s), since
it was wanted for certain. Shapes: N places, V items, S candidates, D dimensions.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor

CHUNK = 1 << 20  # scores held at once: 2 MB in half precision, which a core's cache holds
CHUNK_ON_DEVICE = 1 << 26  # an accelerator wants few large products
SMALLEST = 1e-30  # share of which a logarithm is taken


class Candidates(NamedTuple):
    """The items that the sum runs over."""

    items: Tensor  # (S,) sorted codes
    log_share: Tensor  # (S,) log π


def next_item(hidden: Tensor, table: Tensor, bias: Tensor, target: Tensor, drawn: Candidates | None) -> Tensor:
    """Return the sum of the losses of targets (N,) after hidden (N, D), for items (V, D) with biases (V,)."""
    lift = None
    if drawn is not None:
        table, bias = table[drawn.items], bias[drawn.items] - drawn.log_share
        target = torch.searchsorted(drawn.items, target)
        lift = drawn.log_share[target]
    loss: Tensor = _Softmax.apply(hidden, table, bias, target, lift)  # type: ignore[no-untyped-call]
    return loss


def draw(targets: Tensor, *, frequency: Tensor, count: int) -> Candidates:
    """Return the items among targets (N,) and about `count` others, drawn evenly, with their chance of being there.

    An item is there unless no place's target is it, which happens with probability (1 − its frequency)^N, and the even
    draw misses it too.
    """
    items = len(frequency)
    share = min(1.0, count / items)
    evenly = torch.rand(items, device=targets.device) < share
    evenly[targets] = True
    chosen = evenly.nonzero()[:, 0]
    missed = (1 - share) * (1 - frequency[chosen].clamp(max=1 - 1e-6)) ** len(targets)
    return Candidates(items=chosen, log_share=torch.log1p(-missed))


class _Softmax(torch.autograd.Function):
    """The loss and all its gradients in one pass over slices of places: scores are never kept, memory is flat."""

    @staticmethod
    def forward(  # noqa: PLR0917 (autograd passes by place)
        ctx: Any, hidden: Tensor, table: Tensor, bias: Tensor, target: Tensor, lift: Tensor | None
    ) -> Tensor:
        H, E = _with_bias(hidden, table, bias)  # (N, D + 2), (S, D + 2)
        d_hidden = torch.empty_like(H)
        d_table = torch.zeros(E.shape, device=E.device)
        total = torch.zeros((), device=E.device)
        size = max(1, (CHUNK if H.device.type == "cpu" else CHUNK_ON_DEVICE) // len(E))
        scores = H.new_empty(min(size, len(H)), len(E))
        for first in range(0, len(H), size):
            part = slice(first, first + size)
            h, own = H[part], target[part, None]
            share = torch.mm(h, E.T, out=scores[: len(h)])  # (n, S)
            if lift is not None:
                share.scatter_add_(1, own, lift[part, None].to(share.dtype))
            share = share.softmax(1)
            likely = share.gather(1, own)
            total -= likely.float().clamp(min=SMALLEST).log().sum()
            share.scatter_(1, own, likely - 1)
            torch.mm(share, E, out=d_hidden[part])
            d_table += share.T @ h
        ctx.save_for_backward(d_hidden[:, :-2], d_table)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        d_hidden, d_table = ctx.saved_tensors
        scale = grads[0]
        return d_hidden * scale.to(d_hidden.dtype), d_table[:, :-2] * scale, d_table[:, -2] * scale, None, None


def _with_bias(hidden: Tensor, table: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """Return both with two columns more, whose product is the bias: in half precision it takes two numbers."""
    coarse = bias.to(hidden.dtype)
    fine = (bias - coarse.to(bias.dtype)).to(hidden.dtype)
    ones = hidden.new_ones(len(hidden), 2)
    return torch.cat([hidden, ones], 1), torch.cat([table.to(hidden.dtype), coarse[:, None], fine[:, None]], 1)
