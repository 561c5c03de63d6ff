"""One step down: the gradient of a batch, in parts where memory is short, the same with any number of parts.

Every step has random numbers of its own, told by the seed, the epoch and the step alone. So a training that was killed
goes on as if nothing had happened, wherever that was.
"""

import torch
from torch import Tensor, nn

from recommender.ml.sequence.processes import Processes
from recommender.ml.sequence.state import Training
from recommender.ml.sequence.windows import Chosen, Windows

CLIP = 1.0  # longest gradient
PRIMES = (1_000_003, 998_244_353, 15_485_863)


class TrainingFailed(Exception):
    """A training that cannot go on; `code` says why in one word."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code

    def __str__(self) -> str:
        return str(self.args[1])


def generator(seed: int, epoch: int) -> torch.Generator:
    """Return the random numbers that put an epoch's batches together: the same in all processes."""
    return torch.Generator().manual_seed(seed * PRIMES[0] + epoch)


def take(training: Training, windows: Windows, chosen: Chosen, *, seed: int, processes: Processes) -> Tensor:
    """Learn from a batch; return the sum of its losses in this process. Raises TrainingFailed."""
    numbers = (seed, training.epoch, training.step * processes.world + processes.rank)
    own, scale = _share(chosen, processes)
    for group in training.descent.param_groups:
        group["lr"] = training.config.rate * training.rate
    while True:
        torch.manual_seed(sum(number * prime for number, prime in zip(numbers, PRIMES, strict=True)))
        training.descent.zero_grad()
        try:
            total = _gradient(training, windows, own, scale)
            break
        except (RuntimeError, MemoryError) as error:
            if not _is_out_of_memory(error):
                raise
            _take_smaller_parts(training, windows=len(own.starts), processes=processes)
    nn.utils.clip_grad_norm_(training.learner.parameters(), CLIP)
    training.descent.step()
    training.follow()
    training.step, training.count = training.step + 1, training.count + int(own.lengths.sum())
    return total


def _share(chosen: Chosen, processes: Processes) -> tuple[Chosen, float]:
    """Return this process's windows, and by what its gradient is scaled so that the mean of all is the batch's mean."""
    targets = int(chosen.lengths.sum())
    if len(chosen.starts) < processes.world:
        return chosen, 1 / targets
    return chosen.part(processes.rank, processes.world), processes.world / targets


def _gradient(training: Training, windows: Windows, own: Chosen, scale: float) -> Tensor:
    """Leave the gradient of the scaled loss; return the sum of the losses."""
    total = torch.zeros((), device=windows.device)
    for place in range(min(training.parts, len(own.starts))):
        batch = windows.batch(own.part(place, training.parts), pairwise=training.network.reader.pairwise)
        loss: Tensor = training.shared(batch)
        (loss * scale).backward()
        total += loss.detach()
    return total


def _take_smaller_parts(training: Training, *, windows: int, processes: Processes) -> None:
    if processes.world > 1 or training.parts >= windows:
        raise TrainingFailed("out_of_memory", "There is too little memory to learn even from one history at a time.")
    training.parts *= 2
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _is_out_of_memory(error: BaseException) -> bool:
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)
