"""Item vectors, an encoder, and how they are put together.

Shapes: B viewers, T places, V items, D dimensions. The same item vectors are read and scored with. They have length
one, so that popular items cannot win by length; a bias, at first the logarithm of popularity, is for that. What the
encoder says is as long as a learned temperature has it. That begins high, so that at first popularity decides: from a
low one, training has to unlearn the first noise, which takes it twice as many epochs.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from recommender.ml.arrays import Floats
from recommender.ml.sequence.config import Config
from recommender.ml.sequence.encoders import ENCODERS
from recommender.ml.sequence.encoders.encoder import Dropout
from recommender.ml.sequence.times import TIMES

SMALL = 0.02  # spread of what is added to item vectors, at the start
SHARPNESS = 1.5  # 1 / temperature at the start
QUICK = 10.0  # times as fast as other weights, its logarithm is learned


class Network(nn.Module):
    """From what was watched, and when, to a vector whose product with an item's is the item's score."""

    def __init__(self, config: Config, *, popularity: Floats) -> None:
        super().__init__()
        self.item = nn.Parameter(torch.randn(len(popularity), config.width) / math.sqrt(config.width))  # (V, D)
        self.bias = nn.Parameter(torch.from_numpy(popularity))  # (V,)
        self.sharpness = nn.Parameter(torch.tensor(math.log(SHARPNESS) / QUICK))
        self.reader = Reader(config)

    def vectors(self) -> Tensor:
        """Return the items' vectors (V, D), each of length 1."""
        return functional.normalize(self.item, dim=1)

    def forward(self, vectors: Tensor, gaps: Tensor, waits: Tensor, relations: Tensor | None) -> Tensor:
        """Map the vectors (B, T, D) of what was watched to one per place (B, T, D) for the item after it."""
        said: Tensor = self.reader(vectors, gaps, waits, relations)
        return functional.normalize(said, dim=2) * (QUICK * self.sharpness).exp()


class Reader(nn.Module):
    """The encoder between what it is given and what is made of it."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width = config.width
        self.size = math.sqrt(width)
        self.gap, self.wait = nn.Embedding(TIMES, width), nn.Embedding(TIMES + 1, width)
        for times in (self.gap, self.wait):
            nn.init.normal_(times.weight, std=SMALL)
        self.hidden_items = config.hidden_items
        self.dropout = Dropout(config.dropout)
        make = ENCODERS[config.encoder]
        self.pairwise = make.pairwise
        self.encoder = make(width=width, layers=config.layers, heads=config.heads, dropout=config.dropout)
        self.last = nn.LayerNorm(width)
        self.out = nn.Linear(width, width)

    def forward(self, vectors: Tensor, gaps: Tensor, waits: Tensor, relations: Tensor | None) -> Tensor:
        x = vectors * self.size
        if self.training and self.hidden_items:
            x = x * (torch.rand(x.shape[:2], device=x.device) >= self.hidden_items)[:, :, None]
        x = self.dropout(x + self.gap(gaps) + self.wait(waits))  # (B, T, D)
        said: Tensor = self.out(self.last(self.encoder(x, relations)))  # (B, T, D)
        return said


class LastPlace(nn.Module):
    """What a network says after the last real place of every history."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, vectors: Tensor, gaps: Tensor, waits: Tensor, lengths: Tensor, relations: Tensor | None = None
    ) -> Tensor:
        said: Tensor = self.network(vectors, gaps, waits, relations)  # (B, T, D)
        last = (lengths - 1)[:, None, None].expand(-1, 1, said.shape[2])
        return said.gather(1, last)[:, 0]  # (B, D)
