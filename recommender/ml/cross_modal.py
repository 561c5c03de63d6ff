"""Items of several modalities in one space: what a text asks for is found among videos, and so on for any two.

Every modality has a projector, a hidden layer over the vectors of whatever encoder there is for it, learned as in
"Learning Transferable Visual Models From Natural Language Supervision" (Radford et al., 2021), section 2.3: of a batch
of items each modality has to find the same item by another, both ways (InfoNCE, van den Oord et al., 2018). A row of
NaN is a modality that an item lacks: it is left out, in training and in the item's vector, which is the mean direction
of those that are there. Shapes: n items, E_m the width of a modality's vectors, H hidden units, D dimensions.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from recommender.ml.arrays import Floats, Longs
from recommender.ml.folders import array_of, facts_of, write
from recommender.ml.interactions import BrokenData
from recommender.ml.latent_cosine import unit

FAMILY = "cross-modal"
FEWEST = 2  # items with both of a pair of modalities, below which nothing tells one from another
SHARPNESS = 10.0  # 1 / temperature at the start
MOST_SHARP = 100.0
TINY = 1e-6


@dataclass(frozen=True)
class Config:
    """How large the projectors are, how long they learn and how strongly they hold back."""

    width: int = 64  # D
    hidden: int = 128  # H
    steps: int = 600
    rate: float = 0.003
    decay: float = 0.1  # of the weights, by AdamW
    dropout: float = 0.1  # of the vectors that come in
    batch: int = 256


class Projector(NamedTuple):
    """What a modality's vectors (n, E) go through."""

    inner: Floats  # (E, H)
    bias: Floats  # (H,)
    outer: Floats  # (H, D)


@dataclass(frozen=True)
class CrossModal:
    """A projector for each modality, by its name."""

    projectors: Mapping[str, Projector]

    def embed(self, modality: str, vectors: Floats) -> Floats:
        """Return directions (n, D) of vectors (n, E) of a modality; zeros where there is none."""
        inner, bias, outer = self.projectors[modality]
        there = np.asarray(np.isfinite(vectors).all(1))  # (n,)
        projected = np.maximum(np.where(there[:, None], vectors, 0) @ inner + bias, 0) @ outer
        return unit(np.asarray(np.where(there[:, None], projected, 0), np.float32))

    def items(self, vectors: Mapping[str, Floats]) -> Floats:
        """Return directions (n, D) of items by all that is told of them; zeros where nothing is."""
        return unit(np.sum([self.embed(modality, of) for modality, of in vectors.items()], axis=0))

    def save(self, folder: Path) -> None:
        """Write the projectors into an existing folder."""
        modalities = list(self.projectors)
        arrays = {
            f"{part}_{place}": array
            for place, projector in enumerate(self.projectors.values())
            for part, array in projector._asdict().items()
        }
        write(folder, facts={"family": FAMILY, "name": FAMILY, "modalities": modalities}, arrays=arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the projectors of a folder over mapped memory."""
        return cls(
            {
                modality: Projector(*(array_of(folder, f"{part}_{place}") for part in Projector._fields))
                for place, modality in enumerate(facts_of(folder)["modalities"])
            }
        )


def nearest(asked: Floats, items: Floats, *, k: int) -> Longs:
    """Return the places of the k items (n, D) nearest to each direction (B, D), best first, ties by place: (B, k)."""
    return np.argsort(-(asked @ items.T), axis=1, kind="stable")[:, :k]


class Projection(nn.Module):
    """A projector in training; `mean` and `size` are those of its vectors."""

    def __init__(self, vectors: Tensor, config: Config) -> None:
        super().__init__()
        known = vectors[vectors.isfinite().all(1)]
        self.mean = known.mean(0)  # (E,)
        self.size = (known - self.mean).square().mean().sqrt() + TINY
        self.inner = nn.Linear(vectors.shape[1], config.hidden)
        self.outer = nn.Linear(config.hidden, config.width, bias=False)
        self.dropout = config.dropout

    def forward(self, vectors: Tensor) -> Tensor:
        """Return directions (n, D)."""
        x = functional.dropout((vectors - self.mean) / self.size, self.dropout, self.training)
        projected: Tensor = functional.normalize(self.outer(self.inner(x).relu()), dim=1)
        return projected

    @torch.no_grad()
    def plain(self) -> Projector:
        """Return the same without torch, mean and size within the first layer."""
        inner = self.inner.weight.T / self.size  # (E, H)
        bias = self.inner.bias - self.mean @ inner
        arrays = (np.ascontiguousarray(part.cpu().numpy()) for part in (inner, bias, self.outer.weight.T))
        return Projector(*arrays)


def info_nce(one: Tensor, other: Tensor, sharpness: Tensor) -> Tensor:
    """Return how badly each of the directions (n, D) finds its partner among the other modality's, both ways."""
    scores = sharpness * one @ other.T  # (n, n)
    own = torch.arange(len(one), device=one.device)
    return (functional.cross_entropy(scores, own) + functional.cross_entropy(scores.T, own)) / 2


def learn(
    vectors: Mapping[str, Floats], *, config: Config = Config(), seed: int = 0, device: str = "cpu"
) -> CrossModal:
    """Return projectors of modalities' vectors (n, E_m), a row of each for the same item, NaN where it lacks one.

    Raises BrokenData where no two modalities are told of enough items to learn from.
    """
    torch.manual_seed(seed)
    told = {modality: torch.from_numpy(of).float().to(device) for modality, of in vectors.items()}
    pairs = {pair: both for pair in combinations(told, 2) if len(both := _both(told, *pair)) >= FEWEST}
    if not pairs:
        raise BrokenData("no_pairs", "No two modalities are told of the same items.")
    joined = [modality for modality in told if any(modality in pair for pair in pairs)]
    projections = {modality: Projection(told[modality], config).to(device) for modality in joined}
    sharpness = nn.Parameter(torch.tensor(math.log(SHARPNESS), device=device))
    weights = (of for projection in projections.values() for of in projection.parameters())
    descent = torch.optim.AdamW([*weights, sharpness], lr=config.rate, weight_decay=config.decay)
    pace = torch.optim.lr_scheduler.CosineAnnealingLR(descent, config.steps)
    for _ in range(config.steps):
        loss = torch.zeros((), device=device)
        for (one, other), both in pairs.items():
            rows = both[torch.randperm(len(both))[: config.batch]]
            first, second = (projections[modality](told[modality][rows]) for modality in (one, other))
            loss = loss + info_nce(first, second, sharpness.exp().clamp(max=MOST_SHARP))
        descent.zero_grad()
        loss.backward()
        descent.step()
        pace.step()
    return CrossModal({modality: projection.eval().plain() for modality, projection in projections.items()})


def _both(told: Mapping[str, Tensor], one: str, other: str) -> Tensor:
    """Return the places of items that have both modalities."""
    there = told[one].isfinite().all(1) & told[other].isfinite().all(1)
    return there.nonzero()[:, 0].cpu()
