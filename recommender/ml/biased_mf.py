"""Ratings as what is usual plus what is personal: r = μ + b_u + b_i + p_u · q_i, fitted by stochastic gradients.

Follows "Matrix Factorization Techniques for Recommender Systems" (Koren, Bell, Volinsky, 2009), equations 3 to 5. The
biases start where "Factor in the Neighbors" (Koren, 2010), section 2.1, puts them; without further epochs they are the
whole model, and it knows no interaction between viewer and item: it is a baseline, not yet collaborative filtering.

A log of watches holds few refusals, so for every cell some items are drawn at random and count as rated 0; with
`negatives=0` only what was rated is learned. Shapes: U viewers, V items, D factors, N cells, B samples in a batch.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from recommender.ml.arrays import Floats, Matrix
from recommender.ml.factors import Factors
from recommender.ml.interactions import Interactions
from recommender.ml.model import Progress

START = 0.01  # spread of the random factors at the start


@dataclass(frozen=True)
class Config:
    """How large the model is, how long it learns and how strongly it holds back."""

    factors: int = 32
    epochs: int = 12
    negatives: int = 4  # items drawn per cell that count as rated 0
    damping: float = 10.0  # ratings of the mean that each bias starts with
    reg: float = 0.01
    rate: float = 0.01
    batch: int = 16_384


class BiasedMF(nn.Module):
    """The last column of either table is the bias."""

    def __init__(self, mean: float, viewer: Tensor, item: Tensor) -> None:
        super().__init__()
        self.mean = mean
        self.viewer = nn.Embedding.from_pretrained(viewer, freeze=False, sparse=True)  # (U, D + 1)
        self.item = nn.Embedding.from_pretrained(item, freeze=False, sparse=True)  # (V, D + 1)

    def forward(self, viewers: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """Return the ratings (B,) of viewers (B,) for items (B,), and the squared length (B,) of what made them."""
        p, q = self.viewer(viewers), self.item(items)  # (B, D + 1)
        personal = (p[:, :-1] * q[:, :-1]).sum(1)  # (B,)
        return self.mean + p[:, -1] + q[:, -1] + personal, p.square().sum(1) + q.square().sum(1)


def loss(predicted: Tensor, rating: Tensor, length: Tensor, reg: float) -> Tensor:
    """Return the mean squared error with its ridge."""
    return (predicted - rating).square().mean() + reg * length.mean()


def fit(
    train: Interactions,
    *,
    config: Config = Config(),
    seed: int = 0,
    device: str = "cpu",
    progress: Progress | None = None,
) -> Factors:
    """Return the factors after so many passes over the cells."""
    ratings = train.ratings()
    generator = torch.Generator().manual_seed(seed)
    mean, *tables = _start(ratings, config, generator)
    model = BiasedMF(mean, *tables).to(device)
    descent = torch.optim.SparseAdam(model.parameters(), lr=config.rate)
    for epoch in range(config.epochs):
        for viewers, items, rating in _batches(ratings, config, generator):
            predicted, length = model(viewers.to(device), items.to(device))
            descent.zero_grad()
            loss(predicted, rating.to(device), length, config.reg).backward()
            descent.step()
        if progress:
            progress(epoch + 1, config.epochs)
    return _factors(train, model, config)


def baseline(ratings: Matrix, *, damping: float, negatives: int = 0) -> tuple[float, Floats, Floats]:
    """Return μ, b_u (U,) and b_i (V,): damped means of what is left, the items' first, of R (U, V).

    b_i = Σ (r − μ) / (damping + n_i), then b_u = Σ (r − μ − b_i) / (damping + n_u), sums and counts over the ratings
    and over the zeros that are expected to be drawn beside them.
    """
    cells = ratings.tocoo()
    viewers, items = ratings.shape
    of_viewer = np.bincount(cells.row, minlength=viewers) * (1.0 + negatives)  # (U,)
    drawn = ratings.nnz * negatives / items
    of_item = np.bincount(cells.col, minlength=items) + drawn  # (V,)
    mean = float(cells.data.sum() / max(ratings.nnz * (1 + negatives), 1))
    b_i = (np.bincount(cells.col, cells.data, items) - mean * of_item) / np.maximum(damping + of_item, 1e-9)
    left = cells.data - mean - b_i[cells.col] + negatives * (-mean - b_i.mean())  # (N,)
    b_u = np.bincount(cells.row, left, viewers) / np.maximum(damping + of_viewer, 1e-9)
    return mean, b_u.astype(np.float32), b_i.astype(np.float32)


def _start(ratings: Matrix, config: Config, generator: torch.Generator) -> tuple[float, Tensor, Tensor]:
    mean, *biases = baseline(ratings, damping=config.damping, negatives=config.negatives)
    tables = [
        torch.cat(
            [torch.randn(len(bias), config.factors, generator=generator) * START, torch.from_numpy(bias)[:, None]], 1
        )
        for bias in biases
    ]
    return mean, tables[0], tables[1]


def _batches(ratings: Matrix, config: Config, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield every cell once in random order, each batch with its drawn items: viewers, items, ratings (B,)."""
    cells = ratings.tocoo()
    row, column, data = (torch.from_numpy(array) for array in (cells.row, cells.col, cells.data))
    order = torch.randperm(len(data), generator=generator)
    for places in order.split(max(1, config.batch // (1 + config.negatives))):
        drawn = torch.randint(ratings.shape[1], (len(places) * config.negatives,), generator=generator)
        yield (
            row[places].repeat(1 + config.negatives),
            torch.cat([column[places].long(), drawn]),
            torch.cat([data[places], torch.zeros(len(drawn))]),
        )


def _factors(train: Interactions, model: BiasedMF, config: Config) -> Factors:
    """Write r = x · y + bias with x = (p_u, b_u), y = (q_i, 1) and bias = μ + b_i."""
    item = model.item.weight.detach().cpu().numpy()  # (V, D + 1)
    vectors = np.concatenate([item[:, :-1], np.ones((len(item), 1), np.float32)], 1)  # (V, D + 1)
    bias = item[:, -1] + np.float32(model.mean)  # (V,)
    gram = np.concatenate([vectors.T @ vectors, -(vectors.T @ bias)[:, None]], 1) / len(item)  # (D + 1, D + 2)
    return Factors(
        name="biased-mf",
        fold="rated",
        numbers={"negatives": config.negatives, "reg": config.reg},
        viewer_ids=train.viewer_ids,
        item_ids=train.item_ids,
        viewer_vectors=model.viewer.weight.detach().cpu().numpy(),
        item_vectors=vectors,
        item_bias=bias,
        gram=gram.astype(np.float32),
        trained_on=train,
    )
