"""A viewer and an item are each a vector made by a tower of its own; what is wanted next is a product away.

The viewer tower reads the history, as in "Deep Neural Networks for YouTube Recommendations" (Covington et al., 2016),
section 3: the last items, averaged by how far back they lie, then a layer. The item tower mixes what is known of an
item by its viewers with what is told of it: y = g · id + (1 − g) · tower(words, tags, creator), g = n / (n + κ) for
an item of n events, κ learned. In training an item's id is dropped now and then, as in "DropoutNet" (Volkovs et al.,
2017), so that an item of which nobody knows anything yet stands right from the minute it is published.

The loss is a softmax over the batch's own targets and items drawn evenly, corrected for how likely each is to be there
("Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations", Yi et al., 2019, section 3), over all
items where the catalogue is small. Shapes: B places in histories, T places before, V items, D dimensions, H hidden
units, E places of a feature.
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
from recommender.ml.arrays import Floats, Longs, Matrix
from recommender.ml.cold import Cold
from recommender.ml.interactions import Interactions
from recommender.ml.model import Progress
from recommender.ml.sequence.losses import Candidates, draw, next_item
from recommender.ml.sequence.times import PLACES, half_octaves
from recommender.ml.towers import Towers, ViewerTower

EPOCHS, MOST_EPOCHS, FEWEST_STEPS = (1, 10), 300, 1_500
PLACES_IN_ALL = 3_000_000  # that training should look at
SHARPNESS = 3.0  # 1 / temperature at the start
KNOWN = 10.0  # κ at the start

warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")


@dataclass(frozen=True)
class Config:
    """How large the model is, how long it learns and how strongly it holds back."""

    width: int = 64  # D
    hidden: int = 128  # H
    length: int = 50  # T
    epochs: int = 0  # 0: from the number of events
    negatives: int = 1_024
    dropped: float = 0.2  # share of items whose ids are dropped
    dropout: float = 0.2  # share of a history that is not seen
    rate: float = 0.003
    decay: float = 0.05  # of the weights, by AdamW
    batch: int = 512  # B


class Batch(NamedTuple):
    """Histories, the latest first, and what came next."""

    items: Tensor  # (B, T)
    there: Tensor  # (B, T)
    targets: Tensor  # (B,)


class TwoTower(nn.Module):
    """Both towers; `features` (V, E) is what is told of items, `events` (V,) how often each was wanted."""

    def __init__(self, config: Config, *, features: Tensor, events: Tensor) -> None:
        super().__init__()
        width, hidden = config.width, config.hidden
        self.config = config
        self.id = nn.Parameter(torch.randn(len(events), width) / math.sqrt(width))  # (V, D)
        self.told = nn.Parameter(torch.randn(features.shape[1], hidden) / 2)  # (E, H)
        self.out = nn.Parameter(torch.randn(hidden, width) / math.sqrt(hidden))  # (H, D)
        self.known = nn.Parameter(torch.tensor(math.log(KNOWN)))  # log κ
        self.bias = nn.Parameter((1 + events).log() - (1 + events).log().mean())  # (V,)
        self.places = nn.Parameter(torch.zeros(PLACES))
        self.inner, self.outer = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.sharpness = nn.Parameter(torch.tensor([math.log(SHARPNESS)]))
        self.register_buffer("features", features)
        self.register_buffer("events", events)

    def items(self) -> Tensor:
        """Return the vectors of all items (V, D), each of length 1; in training some by what is told alone."""
        told = functional.normalize((self.get_buffer("features") @ self.told).relu() @ self.out, dim=1)
        events = self.get_buffer("events")
        gate = events / (events + self.known.exp())  # (V,)
        if self.training:
            gate = gate * (torch.rand(len(gate), device=gate.device) >= self.config.dropped)
        return functional.normalize(gate[:, None] * functional.normalize(self.id, dim=1) + (1 - gate[:, None]) * told)

    def viewers(self, vectors: Tensor, there: Tensor) -> Tensor:
        """Return vectors (B, D) of who wanted items (B, T, D), the latest first, where they are there (B, T)."""
        if self.training:
            there = there & (torch.rand(there.shape, device=there.device) >= self.config.dropout)
        back = half_octaves(np.arange(there.shape[1], dtype=np.int32), PLACES)
        share = self.places[torch.from_numpy(back).long()].exp() * there  # (B, T)
        share = share / share.sum(1, keepdim=True).clamp(min=1e-12)
        x = (share[:, None] @ vectors)[:, 0] * math.sqrt(vectors.shape[2])  # (B, D)
        return functional.normalize(x + self.outer(self.inner(x).relu()), dim=1) * self.sharpness.exp()

    def loss(self, batch: Batch, drawn: Candidates | None) -> Tensor:
        """Return the mean of −log of the share of what came next among the candidates, or among all items."""
        table = self.items()
        said = self.viewers(functional.embedding(batch.items, table), batch.there)
        return next_item(said, table, self.bias, batch.targets, drawn) / len(batch.targets)


def fit(
    train: Interactions,
    *,
    config: Config = Config(),
    seed: int = 0,
    device: str = "cpu",
    progress: Progress | None = None,
) -> Towers:
    """Return both towers after so many passes over what was wanted."""
    torch.manual_seed(seed)
    events = np.bincount(train.item[train.positive], minlength=train.shape[1]).astype(np.float32)
    features, used = _features(train)
    model = TwoTower(config, features=features, events=torch.from_numpy(events)).to(device)
    frequency = torch.from_numpy(events / max(events.sum(), 1)).to(device)
    descent = torch.optim.AdamW(model.parameters(), lr=config.rate, weight_decay=config.decay)
    each = -(-int(np.count_nonzero(train.positive)) // config.batch)  # exactly: so many steps are paced
    epochs = _epochs(config, each)
    pace = torch.optim.lr_scheduler.OneCycleLR(descent, config.rate, total_steps=max(epochs * each, 1), pct_start=0.1)
    for epoch in range(epochs):
        for batch in _batches(train, config, np.random.default_rng([seed, epoch]), device):
            every = config.negatives >= train.shape[1]
            drawn = None if every else draw(batch.targets, frequency=frequency, count=config.negatives)
            descent.zero_grad()
            model.loss(batch, drawn).backward()
            descent.step()
            pace.step()
        if progress:
            progress(epoch + 1, epochs)
    return _served(train, model.eval(), used)


def _epochs(config: Config, each: int) -> int:
    """Return how often everything that was wanted is looked at, in batches of which there are `each`."""
    if not each:
        return 0
    usual = int(np.clip(PLACES_IN_ALL // (each * config.batch), *EPOCHS))
    return config.epochs or max(usual, min(MOST_EPOCHS, -(-FEWEST_STEPS // each)))


def _features(train: Interactions) -> tuple[Tensor, Longs]:
    """Return what is told of items (V, E'), the places that say anything alone, and which of all E those are (E',)."""
    if train.attributes is None:
        nothing = [""] * train.shape[1]
        features = content.features(titles=nothing, tags=nothing, creators=np.full(train.shape[1], -1))
    else:
        features = content.features_of(train.attributes)
    used, columns = np.unique(features.indices, return_inverse=True)
    kept: Matrix = csr_array((features.data, columns, features.indptr), shape=(train.shape[1], len(used)))
    starts, places = (torch.from_numpy(part.astype(np.int64)) for part in (kept.indptr, kept.indices))
    values = torch.from_numpy(kept.data)
    sparse = torch.sparse_csr_tensor(starts, places, values, size=kept.shape, check_invariants=False)
    return sparse, used.astype(np.int64)


def _batches(train: Interactions, config: Config, rng: np.random.Generator, device: str) -> Iterator[Batch]:
    """Yield everything that was wanted once in random order, each with what its viewer had wanted before."""
    wanted = train.where(train.positive)
    items, first = torch.from_numpy(wanted.item).long().to(device), wanted.starts[wanted.viewer]
    longest = int(min(config.length, max(np.diff(wanted.starts).max(initial=1) - 1, 1)))
    order = rng.permutation(len(wanted))
    for start in range(0, len(order), config.batch):
        rows = order[start : start + config.batch]
        before = rows[:, None] - 1 - np.arange(longest)  # (B, T)
        there = before >= first[rows][:, None]
        yield Batch(
            items=items[torch.from_numpy(np.where(there, before, 0)).to(device)],
            there=torch.from_numpy(there).to(device),
            targets=items[torch.from_numpy(rows).to(device)],
        )


@torch.no_grad()
def _served(train: Interactions, model: TwoTower, used: Longs) -> Towers:
    hidden = np.zeros((content.WIDTH, model.config.hidden), np.float32)
    hidden[used] = _plain(model.told)
    viewer = ViewerTower(
        places=_plain(model.places),
        inner=_plain(model.inner.weight.T),
        inner_bias=_plain(model.inner.bias),
        outer=_plain(model.outer.weight.T),
        outer_bias=_plain(model.outer.bias),
        sharpness=_plain(model.sharpness.exp()),
    )
    return Towers(
        name="two-tower",
        item_ids=train.item_ids,
        item_vectors=_plain(model.items()),
        item_bias=_plain(model.bias),
        length=model.config.length,
        viewer=viewer,
        cold=Cold("two-tower", hidden=hidden, out=_plain(model.out), directions=True),
    )


def _plain(tensor: Tensor) -> Floats:
    return np.ascontiguousarray(tensor.detach().cpu().numpy(), np.float32)
