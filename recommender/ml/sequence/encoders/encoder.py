"""What every encoder is, and the dropout they share."""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

WORDS = 8  # decisions read from one random number


class Encoder(nn.Module):
    """Maps places (B, T, D) to what follows them (B, T, D), each from itself and from what came before."""

    pairwise: ClassVar[bool] = False  # whether it reads `relations`; others are given None

    def __init__(self, *, width: int, layers: int, heads: int, dropout: float) -> None:
        super().__init__()


class Dropout(nn.Module):
    """Zero a share of the numbers while training, to the nearest 1/256.

    torch draws a random number per decision, which on a CPU takes longer than the layer it regularises; a byte is
    enough, and one draw holds eight.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share
        self.below = round(share * 256)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.below:
            return x
        if x.is_cuda:
            return functional.dropout(x, self.share)
        kept = random_bytes(x.numel()).view(x.shape) >= self.below
        return x * (kept.to(x.dtype) * (256 / (256 - self.below)))


def random_bytes(count: int) -> Tensor:
    """Return so many random bytes (count,) from torch's global generator."""
    drawn = torch.empty(-(-count // WORDS), dtype=torch.int64).random_(-(2**63), None)
    return drawn.view(torch.uint8)[:count]
