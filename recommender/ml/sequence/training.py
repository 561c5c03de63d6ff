"""One trainer for every encoder: warm-up, decay, a moving average of the weights, patience, checkpoints.

Under `torchrun` the windows of every batch are shared out to the processes, each with `tokens` places: the gradient is
that of one process with a batch as large as all theirs.
"""

import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from recommender.ml.interactions import Interactions
from recommender.ml.model import Curve, Point, Progress
from recommender.ml.sequence import checkpoints
from recommender.ml.sequence.config import Config, settled
from recommender.ml.sequence.memory import give_back
from recommender.ml.sequence.network import Network
from recommender.ml.sequence.processes import Processes, joined
from recommender.ml.sequence.state import begun
from recommender.ml.sequence.stepping import TrainingFailed, generator, take
from recommender.ml.sequence.validation import Validation, held_back
from recommender.ml.sequence.windows import Windows

WRITTEN_EVERY_S = 60.0  # a checkpoint
LOOKED_AT_EVERY = 100  # steps: reading a loss makes an accelerator wait
RESERVE = 0.95  # of the time that epochs are planned into


@dataclass(frozen=True)
class Told:
    """Who is told of a training, and where it is kept."""

    progress: Progress | None = None
    curve: Curve | None = None
    folder: Path | None = None


def trained(data: Interactions, *, config: Config, seed: int, device: str, told: Told) -> tuple[Network, Config]:
    """Return the network with the weights that foresaw best what was held back, and its settled config.

    Raises TrainingFailed when the loss is no number any more, or memory runs out.
    """
    processes, device = joined(device)
    lengths = np.bincount(data.viewer[data.positive], minlength=data.shape[0])
    config = settled(config, lengths=lengths, items=data.shape[1])
    run = Run(data, config=config, seed=seed, device=device, processes=processes, told=told)
    while run.training.goes_on and not run.is_over:
        run.epoch()
    network = run.training.network
    network.load_state_dict(run.training.weights or run.training.average)
    return network.eval(), config


class Run:
    """A training with what it learns from."""

    def __init__(
        self, data: Interactions, *, config: Config, seed: int, device: str, processes: Processes, told: Told
    ) -> None:
        self.config, self.seed, self.processes, self.told = config, seed, processes, told
        torch.manual_seed(seed)
        self.validation = Validation(held_back(data, judged=config.judged, seed=seed), config.length, device)
        self.windows = Windows(
            self.validation.split.train,
            length=config.length,
            tokens=config.tokens * processes.world,
            untold=config.untold,
            device=device,
        )
        steps = len(self.windows.epoch(generator(seed, 0)))
        self.training = begun(data, config=config, steps=steps, device=device, processes=processes)
        if not steps:  # nobody has wanted two things: there is nothing that came next
            self.training.epochs = 0
        self.made_for = checkpoints.of(data, config, seed)
        if told.folder and (state := checkpoints.read(told.folder, made_for=self.made_for)):
            self.training.resume(state)
        self.began = self.written = time.perf_counter()
        self.before = self.training.seconds

    @property
    def seconds(self) -> float:
        return self.before + time.perf_counter() - self.began

    @property
    def is_over(self) -> bool:
        """Return whether the time is."""
        late = bool(self.config.minutes) and self.seconds > 60 * self.config.minutes
        return bool(self.processes.agreed(late))

    def epoch(self) -> None:
        """Take every window once from where the epoch stands, judge, and tell. Raises TrainingFailed."""
        training = self.training
        batches = self.windows.epoch(generator(self.seed, training.epoch))
        losses: list[Tensor] = []
        while training.step < len(batches):
            batch = batches[training.step]
            losses.append(take(training, self.windows, batch, seed=self.seed, processes=self.processes))
            if not training.step % LOOKED_AT_EVERY or training.step == len(batches):
                self._look(losses)
                if self.is_over:
                    break
        self._end()

    def _look(self, losses: list[Tensor]) -> None:
        """Read the losses, keep what was reached, tell of it."""
        training = self.training
        training.total += float(torch.stack(losses).sum())
        losses.clear()
        give_back()
        if not math.isfinite(training.total):
            raise TrainingFailed("diverged", f"The loss is no number in epoch {training.epoch + 1}.")
        if self.told.progress:
            self.told.progress(training.epoch * training.steps + training.step, training.epochs * training.steps)
        if time.perf_counter() - self.written > WRITTEN_EVERY_S:
            self._write()

    def _end(self) -> None:
        """Close an epoch."""
        training = self.training
        training.epoch, training.step = training.epoch + 1, 0
        loss = training.total / training.count if training.count else None
        training.total, training.count = 0.0, 0
        if training.epoch == 1 and self.config.minutes:
            fitting = int(RESERVE * 60 * self.config.minutes / max(self.seconds, 1e-3))
            training.epochs = int(self.processes.agreed(min(training.epochs, max(1, fitting))))
        quality = self._judge()
        self._write()
        if self.told.curve and not self.processes.rank:
            self.told.curve(Point(training.epoch, loss, quality, self.seconds))

    def _judge(self) -> float | None:
        """Look at what was held back, every so many epochs, with the averaged weights; keep them if none were better.

        Where nobody could be held back there is nothing to judge by, and the last weights are kept.
        """
        training = self.training
        if not len(self.validation.viewers):
            return None
        if training.epoch % self.config.every and training.epoch != training.epochs and not self.is_over:
            return None
        own = {name: value.clone() for name, value in training.network.state_dict().items()}
        training.network.load_state_dict(training.average)
        ndcg = self.processes.agreed(self.validation.ndcg(training.network))
        training.network.load_state_dict(own)
        training.stale += 1
        if ndcg >= training.best:
            training.best, training.stale = ndcg, 0
            training.weights = {name: value.clone() for name, value in training.average.items()}
        return ndcg

    def _write(self) -> None:
        self.training.seconds, self.written = self.seconds, time.perf_counter()
        if self.told.folder and not self.processes.rank:
            checkpoints.write(self.told.folder, self.training.state(), made_for=self.made_for)
