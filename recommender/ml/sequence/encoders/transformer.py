"""Every place asks all earlier ones: attention that knows how far back, and how long ago, each was.

Follows "Self-Attentive Sequential Recommendation" (Kang and McAuley, 2018), section III, with pre-normalised blocks,
and instead of absolute places a learned bias for the relation of two places, as in "Actions Speak Louder than Words"
(Zhai et al., 2024), section 3.2. Shapes: B viewers, T places, D dimensions, H heads, R relations.
"""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from recommender.ml.sequence.encoders.encoder import Dropout, Encoder
from recommender.ml.sequence.times import PLACES, TIMES

NEVER = -1e4  # added to what must not be seen; exp of it is 0 in every format


class Transformer(Encoder):
    """Blocks of attention and feed-forward."""

    pairwise: ClassVar[bool] = True

    def __init__(self, *, width: int, layers: int, heads: int, dropout: float) -> None:
        super().__init__(width=width, layers=layers, heads=heads, dropout=dropout)
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(layers))

    def forward(self, x: Tensor, relations: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x, relations)  # (B, T, D)
        return x


class Block(nn.Module):
    """Attention, then a feed-forward layer, each added to what came in."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention = Attention(width, heads)
        self.forth = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.before_attention, self.before_forth = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, relations: Tensor) -> Tensor:
        x = x + self.dropout(self.attention(self.before_attention(x), relations))  # (B, T, D)
        said: Tensor = x + self.dropout(self.forth(self.before_forth(x)))  # (B, T, D)
        return said


class Attention(nn.Module):
    """softmax(QKᵀ / √(D/H) + bias of the relation) V."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.asked = nn.Linear(width, 3 * width)
        self.told = nn.Linear(width, width)
        self.near = nn.Parameter(torch.zeros(PLACES, 1, heads))
        self.ago = nn.Parameter(torch.zeros(1, TIMES, heads))

    def forward(self, x: Tensor, relations: Tensor) -> Tensor:
        q, k, v = self.asked(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # (B, H, T, D / H)
        scores = q @ k.transpose(2, 3) * k.shape[3] ** -0.5  # (B, H, T, T)
        weights = (scores + self.bias(relations, scores.dtype)).softmax(3)
        said: Tensor = self.told((weights @ v).transpose(1, 2).flatten(2))  # (B, T, D)
        return said

    def bias(self, relations: Tensor, dtype: torch.dtype) -> Tensor:
        """Return what relations (B, T, T) add to the scores (B, H, T, T)."""
        table = (self.near + self.ago).flatten(0, 1)  # (R, H)
        table = torch.cat([table, table.new_full((1, self.heads), NEVER)]).to(dtype)  # (R + 1, H)
        if self.training and not relations.is_cuda:
            read: Tensor = _Lookup.apply(table, relations)  # type: ignore[no-untyped-call]
            return read
        return functional.embedding(relations, table).permute(0, 3, 1, 2)


class _Lookup(torch.autograd.Function):
    """Read a small table at many places, head by head: on a CPU much faster than an embedding's backward."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, relations: Tensor) -> Tensor:
        places = relations.reshape(-1)
        ctx.save_for_backward(places)
        ctx.rows = len(table)
        B, T, _ = relations.shape
        heads = [column.contiguous().index_select(0, places).view(B, T, T) for column in table.unbind(1)]
        return torch.stack(heads, 1)  # (B, H, T, T)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (places,) = ctx.saved_tensors
        columns = [torch.zeros(ctx.rows).index_add_(0, places, head.reshape(-1).float()) for head in grads[0].unbind(1)]
        return torch.stack(columns, 1).to(grads[0].dtype), None
