"""Teach target attention, and write it down as a program that any process can run."""

import copy
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from recommender.ml.arrays import Longs
from recommender.ml.model import Progress
from recommender.ml.ranker.attention import Attention, Shape, loss
from recommender.ml.ranker.examples import Examples, World
from recommender.ml.ranker.histories import LENGTH, OUTCOMES, ends, outcomes, read
from recommender.ml.ranker.targets import HEADS

NAME = "attention"
OPSET = 20
FREE = torch.export.Dim.DYNAMIC


@dataclass(frozen=True)
class Config:
    """`fading` is the weight decay; an item is unknown to the network in a share `unknown` of the questions.

    Few questions are gone through in smaller batches and more often, so that the network takes about `steps`.
    """

    epochs: int = 3
    steps: int = 1_000
    rate: float = 1e-3
    batch: int = 1024
    smallest_batch: int = 64
    fading: float = 1e-5
    unknown: float = 0.1
    length: int = LENGTH

    def sized(self, many: int) -> Self:
        """Return the settings for so many questions."""
        batch = min(max(many // self.smallest_batch, self.smallest_batch), self.batch)
        return replace(self, batch=batch, epochs=max(self.epochs, -(-self.steps * batch // max(many, 1))))


class Batches:
    """Questions as tensors, some at a time."""

    def __init__(self, world: World, examples: Examples, *, length: int, device: str) -> None:
        self.world, self.examples, self.length, self.device = world, examples, length, device
        self.outcomes = outcomes(world.log)
        self.ends = ends(world.log, examples.asked)
        self.labels = np.stack([examples.labels[head] for head in HEADS], axis=1)

    def __getitem__(self, rows: Longs) -> tuple[dict[str, Tensor], Tensor]:
        """Return what the network is given for some questions, and what it should say (B, H)."""
        asked = self.examples.asked
        told = read(self.world.log, self.outcomes, asked.viewer[rows], self.ends[rows], length=self.length)
        inputs = {
            "features": self.examples.features[rows],
            "candidate": asked.item[rows],
            "item": told.item,
            "outcome": told.outcome,
            "present": told.present,
        }
        tensors = {name: torch.from_numpy(np.ascontiguousarray(of)).to(self.device) for name, of in inputs.items()}
        return tensors, torch.from_numpy(self.labels[rows]).to(self.device)


def fit(
    world: World,
    train: Examples,
    later: Examples | None,
    *,
    config: Config = Config(),
    seed: int = 0,
    device: str = "cpu",
    epochs: int | None = None,
    progress: Progress | None = None,
) -> tuple[bytes, int]:
    """Return an ONNX program that maps features, candidates and a history to raw heads (n, H), and the epochs it took.

    The best epoch on `later` is kept, or the last of `epochs`.
    """
    torch.manual_seed(seed)
    config = config.sized(len(train))
    network = _network(world, train, config).to(device)
    batches = Batches(world, train, length=config.length, device=device)
    judged = Batches(world, later, length=config.length, device=device) if later else None
    optimizer = torch.optim.AdamW(network.parameters(), lr=config.rate, weight_decay=config.fading)
    rng = np.random.default_rng(seed)
    many = epochs or config.epochs
    best, least, kept = 0, np.inf, copy.deepcopy(network.state_dict())
    for epoch in range(1, many + 1):
        _learn(network, batches, optimizer, config=config, rng=rng)
        missed = _missed(network, judged, config.batch) if judged else -epoch
        if missed < least:
            best, least, kept = epoch, missed, copy.deepcopy(network.state_dict())
        if progress:
            progress(epoch, many)
    network.load_state_dict(kept)
    return exported(network), best


def _network(world: World, train: Examples, config: Config) -> Attention:
    items, told = world.items, train.features
    shape = Shape(
        items=len(items),
        creators=int(items.creator.max()) + 1,
        topics=int(items.topic.max()) + 1,
        features=told.shape[1],
        length=config.length,
    )
    spread = told.std(axis=0)
    return Attention(
        shape,
        creator=torch.from_numpy(items.creator + 1),
        topic=torch.from_numpy(items.topic + 1),
        mean=torch.from_numpy(told.mean(axis=0)),
        spread=torch.from_numpy(np.where(spread > 0, spread, 1).astype(np.float32)),
    )


def _learn(
    network: Attention, batches: Batches, optimizer: torch.optim.Optimizer, *, config: Config, rng: np.random.Generator
) -> None:
    """Go through all questions once."""
    network.train()
    for rows in _parts(rng.permutation(len(batches.labels)), config.batch):
        inputs, labels = batches[rows]
        unknown = torch.from_numpy(rng.random(len(rows)) < config.unknown).to(labels.device)
        inputs["candidate"] = inputs["candidate"].masked_fill(unknown, network.shape.items)
        optimizer.zero_grad(set_to_none=True)
        loss(network(**inputs), labels).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()


def _missed(network: Attention, judged: Batches, batch: int) -> float:
    """Return the mean loss over all questions."""
    network.eval()
    with torch.no_grad():
        losses = []
        for rows in _parts(np.arange(len(judged.labels)), batch):
            inputs, labels = judged[rows]
            losses.append(float(loss(network(**inputs), labels)) * len(rows))
    return sum(losses) / max(len(judged.labels), 1)


def _parts(rows: Longs, size: int) -> Iterator[Longs]:
    yield from (rows[start : start + size] for start in range(0, len(rows), size))


class OneViewer(nn.Module):
    """The network for candidates of one viewer, whose history is read once."""

    def __init__(self, network: Attention) -> None:
        super().__init__()
        self.network = network

    def forward(self, features: Tensor, candidate: Tensor, item: Tensor, outcome: Tensor, present: Tensor) -> Tensor:
        """Map features (n, F), candidates (n,) and a history (T,) to raw heads (n, H)."""
        told: Tensor = self.network(features, candidate, item[None], outcome[None], present[None])
        return told


def exported(network: Attention) -> bytes:
    """Return the network as an ONNX program whose number of candidates is free."""
    length = network.shape.length
    inputs = {
        "features": torch.zeros(3, network.shape.features),
        "candidate": torch.zeros(3, dtype=torch.int64),
        "item": torch.zeros(length, dtype=torch.int64),
        "outcome": torch.zeros(length, OUTCOMES),
        "present": torch.ones(length),
    }
    free = {name: {0: FREE} if name in {"features", "candidate"} else {} for name in inputs}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # which tells of every library it does not find
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            OneViewer(copy.deepcopy(network).eval().cpu()),
            kwargs=inputs,
            dynamic_shapes=free,
            input_names=list(inputs),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    written: bytes = program.model_proto.SerializeToString()
    return written
