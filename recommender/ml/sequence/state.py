"""What changes while a training goes on."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from recommender.ml.arrays import Floats
from recommender.ml.interactions import Interactions
from recommender.ml.sequence.config import Config
from recommender.ml.sequence.learner import Learner, narrow
from recommender.ml.sequence.network import Network
from recommender.ml.sequence.processes import Processes

BETAS = (0.9, 0.98)
FLOOR = 0.02  # of the rate, where the decay ends
KEPT = ("epochs", "epoch", "step", "total", "count", "best", "stale", "seconds")

Weights = dict[str, Tensor]


@dataclass
class Training:
    """A network on its way. Shapes: V items."""

    config: Config
    learner: Learner
    shared: nn.Module  # the learner, and what ties it to other processes
    descent: torch.optim.AdamW
    average: Weights  # moving, of the network's weights
    steps: int  # in an epoch
    epochs: int  # that will be taken
    epoch: int = 0
    step: int = 0  # in this epoch
    total: float = 0.0  # of the loss in this epoch
    count: int = 0  # of targets in this epoch
    best: float = -1.0
    stale: int = 0  # validations since then
    seconds: float = 0.0  # of all processes that worked on it one after the other
    weights: Weights = field(default_factory=dict)  # the best average
    parts: int = 1  # in which a batch is taken, since memory ran out

    @property
    def network(self) -> Network:
        return self.learner.network

    @property
    def rate(self) -> float:
        """Return the share of the rate at this step: a straight rise, then a half cosine down."""
        step, whole = self.epoch * self.steps + self.step, self.steps * self.epochs
        rise = max(1, round(whole * self.config.warm_up))
        if step < rise:
            return (step + 1) / rise
        return FLOOR + (1 - FLOOR) * 0.5 * (1 + float(np.cos(np.pi * min(1, (step - rise) / max(1, whole - rise)))))

    @property
    def goes_on(self) -> bool:
        return self.epoch < self.epochs and self.stale <= self.config.patience

    @torch.no_grad()
    def follow(self) -> None:
        """Move the average towards the weights."""
        now = list(self.network.state_dict().values())
        torch._foreach_lerp_(list(self.average.values()), now, 1 - self.config.averaged)

    def state(self) -> dict[str, Any]:
        """Return everything that a later process needs to go on."""
        return {
            "learner": self.learner.state_dict(),
            "descent": self.descent.state_dict(),
            "average": self.average,
            "weights": self.weights,
            **{name: getattr(self, name) for name in KEPT},
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Go on where the state stands."""
        self.learner.load_state_dict(state["learner"])
        self.descent.load_state_dict(state["descent"])
        self.average = {name: value.to(self.average[name].device) for name, value in state["average"].items()}
        self.weights = {name: value.to(self.average[name].device) for name, value in state["weights"].items()}
        for name in KEPT:
            setattr(self, name, state[name])


def begun(data: Interactions, *, config: Config, steps: int, device: str, processes: Processes) -> Training:
    """Return a training before its first step."""
    share = _shares(data)
    network = Network(config, popularity=np.log(share) - np.log(share).mean())
    frequency = torch.from_numpy(share)
    learner = Learner(network, frequency=frequency, negatives=config.negatives, narrow=narrow(device)).to(device)
    return Training(
        config=config,
        learner=learner,
        shared=processes.share(learner),
        descent=torch.optim.AdamW(_groups(network, config), lr=config.rate, betas=BETAS, fused=True),
        average={name: value.detach().clone() for name, value in network.state_dict().items()},
        steps=max(1, steps),
        epochs=config.epochs,
    )


def _shares(data: Interactions) -> Floats:
    """Return the share of every item (V,) in what was wanted, as if each had been wanted once more."""
    counts = np.bincount(data.item[data.positive], minlength=data.shape[1]).astype(np.float32) + 1
    return np.asarray(counts / counts.sum(), np.float32)


def _groups(network: nn.Module, config: Config) -> list[dict[str, Any]]:
    """Let only matrices decay."""
    matrices = [weight for weight in network.parameters() if weight.dim() > 1]
    others = [weight for weight in network.parameters() if weight.dim() <= 1]
    return [{"params": matrices, "weight_decay": config.decay}, {"params": others, "weight_decay": 0.0}]
