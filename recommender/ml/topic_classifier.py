"""What an item is about, from what is told of it: a perceptron with one hidden layer over its features.

Linear(E, 64), ReLU, Linear(64, C); cross-entropy on logits, Adam. Rows are `content.features` (hashed words, tags and
creator, `content.narrowed`) or vectors of `text.encoded`; what it makes of a text holds as well for the mean of
several, such as all that a viewer has watched: that is the viewer's interest over the classes.
Shapes: n rows, E features, C classes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from recommender.ml import folders
from recommender.ml.arrays import Floats, Longs, Matrix
from recommender.ml.text_heads import HIDDEN, perceptron

FAMILY = "topic_classifier"
LAYERS = {"0.weight": "inner", "0.bias": "inner_bias", "2.weight": "outer", "2.bias": "outer_bias"}
ASKED_AT_ONCE = 512

Rows = Floats | Matrix


@dataclass(frozen=True)
class Config:
    """How large the network is and how long it learns."""

    classes: int = 10  # C
    hidden: int = HIDDEN
    epochs: int = 10
    batch: int = 32
    rate: float = 3e-3


@dataclass(frozen=True)
class Epoch:
    """How well the rows were told while an epoch went over them."""

    number: int
    loss: float
    accuracy: float


Told = Callable[[Epoch], None]


@dataclass(frozen=True)
class TopicClassifier:
    """A fitted network and the names of its classes."""

    names: tuple[str, ...]  # (C,)
    network: nn.Sequential

    @torch.inference_mode()
    def chances(self, rows: Rows) -> Floats:
        """Return the chance of each class (n, C)."""
        parts = [np.zeros((0, len(self.names)), np.float32)]
        for first in range(0, rows.shape[0], ASKED_AT_ONCE):
            logits: Tensor = self.network(_dense(rows[first : first + ASKED_AT_ONCE], self._device))
            parts.append(logits.softmax(1).cpu().numpy())
        return np.concatenate(parts)

    @property
    def _device(self) -> torch.device:
        return next(self.network.parameters()).device

    def save(self, folder: Path) -> None:
        """Write it into an existing folder."""
        arrays = {LAYERS[name]: of.cpu().numpy() for name, of in self.network.state_dict().items()}
        folders.write(folder, facts={"family": FAMILY, "name": FAMILY, "classes": self.names}, arrays=arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the classifier of a folder."""
        names = folders.facts_of(folder)["classes"]
        arrays = {layer: torch.tensor(folders.array_of(folder, file)) for layer, file in LAYERS.items()}
        hidden, width = arrays["0.weight"].shape
        network = perceptron(width, len(names), hidden=hidden)
        network.load_state_dict(arrays)
        return cls(tuple(names), network.eval())


def fit(
    rows: Rows,
    classes: Longs,
    *,
    names: Sequence[str],
    config: Config,
    seed: int,
    device: str = "cpu",
    told: Told | None = None,
) -> TopicClassifier:
    """Learn the classes (n,) of rows (n, E), and tell of every epoch how it went. Raises ValueError.

    The same seed gives the same network, bit by bit, on the same processor with the same number of threads.
    """
    if len(names) != config.classes or not rows.shape[0]:
        raise ValueError(f"{config.classes} classes have {len(names)} names, and {rows.shape[0]} rows.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = perceptron(rows.shape[1], config.classes, hidden=config.hidden).to(device).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=config.rate)
    rng = np.random.default_rng(seed)
    for number in range(1, config.epochs + 1):
        loss, right = 0.0, 0
        for places in _batches(rng.permutation(rows.shape[0]), config.batch):
            target = torch.as_tensor(classes[places], device=device)  # (b,)
            logits = network(_dense(rows[places], device))  # (b, C)
            error = cross_entropy(logits, target)
            optimiser.zero_grad()
            error.backward()
            optimiser.step()
            loss += float(error.detach()) * len(places)
            right += int((logits.argmax(1) == target).sum())
        if told:
            told(Epoch(number, loss / rows.shape[0], right / rows.shape[0]))
    return TopicClassifier(tuple(names), network.eval())


def _batches(order: Longs, size: int) -> Iterator[Longs]:
    yield from (order[first : first + size] for first in range(0, len(order), size))


def _dense(rows: Rows, device: torch.device | str) -> Tensor:
    return torch.as_tensor(rows if isinstance(rows, np.ndarray) else rows.toarray(), device=device)
