"""Neural collaborative filtering: a network over a viewer and an item instead of their product.

R̂_ui = σ(wᵀ h_ui + b + b_u + b_i),  h_ui = (e_u ∘ e_i, max(0, A e_u + B e_i + c)): generalised factorisation beside a
perceptron as in "Neural Collaborative Filtering" (He et al., 2017), section 3.4, with one hidden layer, so that all
items can be scored in a request (`pair_network`). A viewer has no place in the model: e_u = Σ p_j / √n over the n items
j that they wanted, as in "FISM" (Kabbur et al., 2013), so that a newcomer is served at once; b_u = v · e_u. An item is
e_i = q_i + T x_i, x_i what is told of it (`content`).

A part of everyone's likes is hidden, and is to be found among all items by the others: the loss is the logarithmic one
of equation 7 over the hidden and over whatever was not wanted, of which a batch draws some and counts them for all.
Shapes: B viewers, V items, S items drawn, N hidden cells, D dimensions, H hidden units, E places of a feature.
"""

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor, nn
from torch.nn import functional

from recommender.ml import content
from recommender.ml.arrays import Floats, Matrix
from recommender.ml.interactions import Interactions
from recommender.ml.likes import liked
from recommender.ml.model import Progress
from recommender.ml.pair_network import PairNetwork

EPOCHS, FEWEST_STEPS = (30, 300), 1_500
START = 0.1  # spread of the random vectors at the start
SMALLEST = 1e-4  # chance that an item is wanted, at the start

warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")


@dataclass(frozen=True)
class Config:
    """How large the model is, how long it learns and how strongly it holds back."""

    width: int = 64  # D
    hidden: int = 32  # H
    epochs: int = 0  # 0: from the number of viewers
    concealed: float = 0.3  # share of everyone's likes that is to be found by the others
    negatives: int = 256  # S
    dropout: float = 0.2  # of e_u
    rate: float = 0.01
    decay: float = 0.01  # of the weights, by AdamW
    batch: int = 256  # B


class Batch(NamedTuple):
    """Some viewers with what is shown of their likes and what is to be found."""

    shown: Tensor  # (B, V) sparse, 1 / √n
    row: Tensor  # (N,) whose a hidden cell is
    item: Tensor  # (N,)
    drawn: Tensor  # (S,) item codes
    liked: Tensor  # (B, S) whether a drawn one is liked


class NCF(nn.Module):
    """The logit of R̂; `features` (V, E) are what is told of items, or of no column."""

    def __init__(self, config: Config, *, popularity: Floats, features: Tensor) -> None:
        super().__init__()
        items, width = len(popularity), config.width
        self.pull = nn.Parameter(torch.randn(items, width) * START)  # (V, D)
        self.item = nn.Parameter(torch.randn(items, width) * START)  # (V, D)
        self.told = nn.Parameter(torch.randn(features.shape[1], width) * START / math.sqrt(width))  # (E, D)
        self.product = nn.Parameter(torch.ones(width))  # (D,)
        self.outer = nn.Linear(width, config.hidden, bias=False)
        self.inner = nn.Linear(width, config.hidden)
        self.out = nn.Parameter(torch.randn(config.hidden) * START)  # (H,)
        self.viewer_bias = nn.Parameter(torch.zeros(width))
        self.bias = nn.Parameter(torch.from_numpy(popularity))  # (V,)
        self.dropout = config.dropout
        self.register_buffer("features", features)

    def items(self) -> Tensor:
        """Return e_i of all items (V, D)."""
        features: Tensor = self.get_buffer("features")
        return self.item + features @ self.told if len(self.told) else self.item

    def viewers(self, shown: Tensor) -> Tensor:
        """Return e_u (B, D) of who wanted these (B, V)."""
        return functional.dropout(shown @ self.pull, self.dropout, self.training)

    def logits(self, e_u: Tensor, e_i: Tensor, bias: Tensor) -> Tensor:
        """Return the logits (...) of vectors (..., D) and (..., D) that broadcast, and the items' biases (...)."""
        deep = functional.relu(self.outer(e_u) + self.inner(e_i)) @ self.out
        return (e_u * self.product * e_i).sum(-1) + deep + bias + e_u @ self.viewer_bias

    def loss(self, batch: Batch) -> Tensor:
        """Return −Σ log R̂ of what is hidden − Σ log(1 − R̂) of what was not wanted, per hidden cell."""
        e_u, table = self.viewers(batch.shown), self.items()  # (B, D), (V, D)
        found = self.logits(e_u[batch.row], table[batch.item], self.bias[batch.item])  # (N,)
        others = self.logits(e_u[:, None], table[batch.drawn], self.bias[batch.drawn])  # (B, S)
        scale = len(table) / max(len(batch.drawn), 1)
        unwanted = scale * (functional.softplus(others) * ~batch.liked).sum()
        return (functional.softplus(-found).sum() + unwanted) / max(len(batch.row), 1)


def fit(
    train: Interactions,
    *,
    config: Config = Config(),
    seed: int = 0,
    device: str = "cpu",
    progress: Progress | None = None,
) -> PairNetwork:
    """Return the network after so many passes over the viewers."""
    torch.manual_seed(seed)
    likes = liked(train, np.flatnonzero(np.diff(train.starts)).astype(np.int32))
    likes = likes[np.diff(likes.indptr) > 0]
    model = NCF(config, popularity=_log_odds(likes), features=_features(train)).to(device)
    descent = torch.optim.AdamW(model.parameters(), lr=config.rate, weight_decay=config.decay)
    each = -(-likes.shape[0] // config.batch)
    epochs = (config.epochs or int(np.clip(-(-FEWEST_STEPS // each), *EPOCHS))) if each else 0
    pace = torch.optim.lr_scheduler.OneCycleLR(descent, config.rate, total_steps=max(epochs * each, 1), pct_start=0.1)
    for epoch in range(epochs):
        for batch in _batches(likes, config, np.random.default_rng([seed, epoch]), device):
            descent.zero_grad()
            model.loss(batch).backward()
            descent.step()
            pace.step()
        if progress:
            progress(epoch + 1, epochs)
    return _served(train, model.eval())


def _log_odds(likes: Matrix) -> Floats:
    """Return the logit of the share of viewers who wanted an item (V,): where the biases begin."""
    share = np.bincount(likes.indices, minlength=likes.shape[1]) / max(likes.shape[0], 1)
    share = np.clip(share, SMALLEST, 1 - SMALLEST)
    return np.log(share / (1 - share)).astype(np.float32)


def _features(train: Interactions) -> Tensor:
    """Return what is told of items (V, E), only those of the places that say anything."""
    if train.attributes is None:
        return torch.zeros(train.shape[1], 0)
    features = content.features_of(train.attributes)
    used, columns = np.unique(features.indices, return_inverse=True)
    return _sparse(csr_array((features.data, columns, features.indptr), shape=(train.shape[1], len(used))))


def _batches(likes: Matrix, config: Config, rng: np.random.Generator, device: str) -> Iterator[Batch]:
    """Yield every viewer once in random order."""
    order, items = rng.permutation(likes.shape[0]), likes.shape[1]
    for start in range(0, len(order), config.batch):
        rows = likes[np.sort(order[start : start + config.batch])]
        counts = np.diff(rows.indptr)
        row = np.repeat(np.arange(len(counts)), counts)
        hidden = rng.random(len(row)) < config.concealed
        shown = np.bincount(row[~hidden], minlength=len(counts))  # (B,)
        weights = (1 / np.sqrt(np.maximum(shown, 1)))[row[~hidden]].astype(np.float32)
        starts = np.concatenate([[0], shown.cumsum()])
        drawn = rng.permutation(items)[: config.negatives]
        place = np.full(items, -1)
        place[drawn] = np.arange(len(drawn))
        known = np.zeros((len(counts), len(drawn)), np.bool_)
        met = place[rows.indices]
        known[row[met >= 0], met[met >= 0]] = True
        yield Batch(
            shown=_sparse(csr_array((weights, rows.indices[~hidden], starts), shape=rows.shape)).to(device),
            row=torch.from_numpy(row[hidden]).to(device),
            item=torch.from_numpy(rows.indices[hidden].astype(np.int64)).to(device),
            drawn=torch.from_numpy(drawn).to(device),
            liked=torch.from_numpy(known).to(device),
        )


def _sparse(matrix: Matrix) -> Tensor:
    starts, columns = (torch.from_numpy(part.astype(np.int64)) for part in (matrix.indptr, matrix.indices))
    values = torch.from_numpy(matrix.data)
    return torch.sparse_csr_tensor(starts, columns, values, size=matrix.shape, check_invariants=False)


@torch.no_grad()
def _served(train: Interactions, model: NCF) -> PairNetwork:
    items = model.items()
    arrays = {
        "pulls": model.pull,
        "products": items * model.product,
        "inner": model.inner(items),
        "outer": model.outer.weight.T.contiguous(),
        "out": model.out,
        "viewer_bias": model.viewer_bias,
        "item_bias": model.bias,
    }
    return PairNetwork("ncf", train.item_ids, **{name: array.cpu().numpy() for name, array in arrays.items()})
