"""Implicit feedback by weighted matrix factorisation, solved by alternating least squares.

Minimises  Σ_met c (p − x·y)² + Σ_others (x·y)² + Σ ridge (‖x‖² + ‖y‖²)  with c = 1 + α · |weight| and p = 1
where the weight is positive, else 0; weights are taken relative to their mean. Shapes: U viewers, V items, D
factors, N cells.

Follows "Collaborative Filtering for Implicit Feedback Datasets" (Hu, Koren, Volinsky, 2008), section 4,
solved by "Applications of the Conjugate Gradient Method for Implicit Feedback Collaborative Filtering"
(Takács, Pilászy, Tikk, 2011), with the ridge of "Revisiting the Performance of iALS on Item Recommendation
Benchmarks" (Rendle et al., 2021).

A step of the conjugate gradient needs x·y only where a cell is stored: a sampled product and a sparse
product, so no system is ever formed, and slices of rows keep the memory flat.
"""

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recommender.ml import fold_in
from recommender.ml.arrays import Matrix
from recommender.ml.factors import Factors
from recommender.ml.interactions import Interactions
from recommender.ml.model import Progress
from recommender.ml.popularity import recent

SLICE_CELLS = 1 << 20  # numbers in one array of the solver's state: 4 MB, which caches hold
TINY = 1e-20  # keeps a solved row at rest: 0 / TINY is 0
START = 0.1  # spread of the random item vectors at the start, over √D

warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")


@dataclass(frozen=True)
class Config:
    """How large the model is and how strongly it holds back."""

    factors: int = 256
    iterations: int = 15
    alpha: float = 10.0  # confidence that a cell of mean weight adds to the 1 of every cell
    reg: float = 80.0
    power: float = 0.5  # 0: the same ridge for all; 1: growing with the share of the loss
    steps: int = 3  # of the conjugate gradient, from the last solution on
    recency: float = 0.0  # how much log(1 + recent positives) adds to an item's score
    days: float = 6.0  # what is recent


@dataclass(frozen=True)
class Side:
    """One half of an iteration: the cells as seen from its rows, on the device."""

    starts: Tensor  # (rows + 1,) int32
    columns: Tensor  # (N,) int32
    extra: Tensor  # (N,) α |weight|: confidence above 1
    pull: Tensor  # (N,) c p
    ridge: Tensor  # (rows, 1)
    numbers: Mapping[str, float]  # beside the cells, what `fold_in.implicit` needs for a row

    def rows(self, rows: slice) -> "Side":
        """Return the side of some of its rows."""
        starts = self.starts[rows.start : rows.stop + 1]
        first, last = int(starts[0]), int(starts[-1])
        return Side(
            starts=starts - first,
            columns=self.columns[first:last],
            extra=self.extra[first:last],
            pull=self.pull[first:last],
            ridge=self.ridge[rows],
            numbers=self.numbers,
        )

    def cells(self, values: Tensor) -> Tensor:
        """Return the sparse matrix (rows, width) that holds values (N,) in its cells."""
        size = (len(self.ridge), int(self.numbers["others"]))
        return torch.sparse_csr_tensor(self.starts, self.columns, values, size=size, check_invariants=False)


def fit(
    train: Interactions,
    *,
    config: Config = Config(),
    seed: int = 0,
    device: str = "cpu",
    progress: Progress | None = None,
) -> Factors:
    """Return the factors after so many alternations, the viewers' solved last as a fold-in would."""
    ratings = train.ratings()
    ratings.eliminate_zeros()
    alpha = config.alpha / float(np.abs(ratings.data).mean() if ratings.nnz else 1)
    by_viewer = _side(ratings, alpha, config, device)
    by_item = _side(ratings.T.tocsr(), alpha, config, device)
    Y = _start(by_item, config.factors, seed).to(device)  # (V, D)
    X = solve(by_viewer, Y, start=Y.new_zeros(train.shape[0], config.factors), steps=config.steps)  # (U, D)
    for done in range(config.iterations):
        Y = solve(by_item, X, start=Y, steps=config.steps)
        X = solve(by_viewer, Y, start=X, steps=config.steps)
        if progress:
            progress(done + 1, config.iterations)
    return Factors(
        name="implicit-als",
        fold="implicit",
        numbers=by_viewer.numbers,
        viewer_ids=train.viewer_ids,
        item_ids=train.item_ids,
        viewer_vectors=X.cpu().numpy(),
        item_vectors=Y.cpu().numpy(),
        item_bias=np.float32(config.recency) * recent(train, days=config.days),
        gram=(Y.T @ Y).cpu().numpy(),
        trained_on=train,
    )


def solve(side: Side, Y: Tensor, *, start: Tensor, steps: int) -> Tensor:
    """Return X (rows, D): each row's least squares given the other side's Y (width, D), from `start` on."""
    gram = Y.T @ Y  # (D, D)
    solved = torch.empty_like(start)
    size = max(1, SLICE_CELLS // start.shape[1])
    for first in range(0, len(start), size):
        rows = slice(first, min(first + size, len(start)))
        solved[rows] = _conjugate_gradient(side.rows(rows), Y, gram, start[rows], steps)
    return solved


def _conjugate_gradient(side: Side, Y: Tensor, gram: Tensor, X: Tensor, steps: int) -> Tensor:
    """Return X (B, D) nearer to the solution of (YᵀY + Yᵀ(C − I)Y + ridge I) x = YᵀCp in every row."""
    stored = side.cells(side.extra)  # (B, V)

    def applied(P: Tensor) -> Tensor:
        met: Tensor = torch.sparse.sampled_addmm(stored, P, Y.T, beta=0.0).values()  # (N,) x·y
        return torch.addmm(side.ridge * P, P, gram) + side.cells(met * side.extra) @ Y  # (B, D)

    residual = side.cells(side.pull) @ Y - applied(X)  # (B, D)
    direction = residual
    size = residual.square().sum(1, keepdim=True)  # (B, 1)
    for _ in range(steps):
        moved = applied(direction)  # (B, D)
        step = size / ((direction * moved).sum(1, keepdim=True) + TINY)  # (B, 1)
        X = X + step * direction
        residual = residual - step * moved
        smaller = residual.square().sum(1, keepdim=True)
        direction = residual + smaller / (size + TINY) * direction
        size = smaller
    return X


def _side(ratings: Matrix, alpha: float, config: Config, device: str) -> Side:
    numbers = _numbers(ratings, alpha, config)
    weights = torch.from_numpy(ratings.data)
    extra = alpha * weights.abs()  # (N,)
    cells = np.diff(ratings.indptr)  # (rows,)
    ridge = np.array([fold_in.ridge(count, numbers) for count in range(int(cells.max(initial=0)) + 1)])
    return Side(
        starts=torch.from_numpy(ratings.indptr.astype(np.int32)).to(device),
        columns=torch.from_numpy(ratings.indices.astype(np.int32)).to(device),
        extra=extra.to(device),
        pull=torch.where(weights > 0, 1 + extra, torch.zeros(())).to(device),
        ridge=torch.from_numpy(ridge[cells][:, None].astype(np.float32)).to(device),
        numbers=numbers,
    )


def _numbers(ratings: Matrix, alpha: float, config: Config) -> dict[str, float]:
    """Return what a row's equations need beside its cells, as `fold_in.implicit` reads it."""
    rows, others = ratings.shape
    mean = alpha * ratings.nnz / max(rows, 1) + others
    return {"alpha": alpha, "others": others, "mean": mean, "reg": config.reg, "power": config.power}


def _start(by_item: Side, factors: int, seed: int) -> Tensor:
    """Return small random item vectors (V, D); an item nobody met starts, and stays, at zero."""
    drawn = torch.randn(len(by_item.ridge), factors, generator=torch.Generator().manual_seed(seed))
    met = torch.diff(by_item.starts).cpu() > 0
    return drawn * met[:, None] * (START / math.sqrt(factors))
