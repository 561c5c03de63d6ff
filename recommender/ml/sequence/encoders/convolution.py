"""What stood at fixed distances before, looked at through dilated filters.

Follows "A Simple Convolutional Generative Network for Next Item Recommendation" (Yuan et al., 2019), section 3.3:
residual blocks of two causal convolutions of width 3 whose second looks twice as far back, the distance growing from
block to block. Shapes: B viewers, T places, D dimensions.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from recommender.ml.sequence.encoders.encoder import Dropout, Encoder

REACH = 3  # places under a filter


class Convolution(Encoder):
    """Residual blocks that look 1 and 2, 4 and 8, 16 and 32 ... places back."""

    def __init__(self, *, width: int, layers: int, heads: int, dropout: float) -> None:
        super().__init__(width=width, layers=layers, heads=heads, dropout=dropout)
        self.blocks = nn.ModuleList(Block(width, 4**layer, dropout) for layer in range(layers))

    def forward(self, x: Tensor, relations: Tensor | None = None) -> Tensor:
        for block in self.blocks:
            x = block(x)  # (B, T, D)
        return x


class Block(nn.Module):
    """Two filters, the second of twice the dilation, added to what came in."""

    def __init__(self, width: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.filters = nn.ModuleList(Filter(width, dilation * times) for times in (1, 2))
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        said = x
        for norm, look in zip(self.norms, self.filters, strict=True):
            said = look(functional.gelu(norm(said)))  # (B, T, D)
        kept: Tensor = self.dropout(said)
        return x + kept


class Filter(nn.Module):
    """A convolution over the place itself and those `dilation` and 2 · `dilation` before it."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.over = nn.Linear(REACH * width, width)

    def forward(self, x: Tensor) -> Tensor:
        before = functional.pad(x, (0, 0, (REACH - 1) * self.dilation, 0))  # (B, T + 2 · dilation, D)
        seen = [before[:, step * self.dilation : step * self.dilation + x.shape[1]] for step in range(REACH)]
        said: Tensor = self.over(torch.cat(seen, 2))  # (B, T, D)
        return said
