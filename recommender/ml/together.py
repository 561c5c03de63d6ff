"""Fitting a model in several processes, one per accelerator, which `torchrun` starts and watches.

Whoever asks writes down what is to be fitted, starts them, and is told of every step and epoch by the first process, a
line each. It finds the model beside the question. When one process dies torchrun ends the others; when whoever asked
dies the first process cannot tell any more and ends, and the others with it.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from recommender.ml import models
from recommender.ml.interactions import Interactions
from recommender.ml.model import Curve, Model, Point, Progress
from recommender.ml.sequence.stepping import TrainingFailed

ROOT = Path(__file__).resolve().parents[2]
ASKED, FITTED, FAILED, SAID = "asked", "fitted", "failed", "said"
STEP, EPOCH = "step", "epoch"
MARK = "\x1e"  # before what is told: libraries may print what they like
MOST_SAID = 4_000  # characters of what a failed process has said that are kept


@dataclass(frozen=True)
class Asked:
    """What is to be fitted, as `models.fit` takes it."""

    name: str
    train: Interactions
    settings: Mapping[str, Any]
    seed: int
    device: str
    checkpoints: Path | None

    def fit(self, *, progress: Progress | None, curve: Curve | None) -> Model:
        """Return the model as this process has fitted it, by itself or as one of several."""
        return models.fit(
            self.name,
            self.train,
            settings=self.settings,
            seed=self.seed,
            device=self.device,
            progress=progress,
            curve=curve,
            checkpoints=self.checkpoints,
        )


def fit(asked: Asked, *, processes: int, progress: Progress | None = None, curve: Curve | None = None) -> Model:
    """Return the model that so many processes have fitted together. Raises TrainingFailed."""
    hear = {STEP: progress, EPOCH: curve and (lambda *point: curve(Point(*point)))}
    beside = asked.checkpoints.parent if asked.checkpoints else None  # so that what a power cut leaves goes with them
    if beside:
        beside.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="kp-together-", dir=beside) as name:
        folder = Path(name)
        torch.save(asked, folder / ASKED)
        if code := _run(folder, processes, hear):
            raise _why(folder, code)
        # What is unpickled was written a moment ago by a process of ours, in a folder that is ours alone.
        fitted: Model = torch.load(folder / FITTED, weights_only=False)
    return fitted


def _run(folder: Path, processes: int, hear: Mapping[str, Callable[..., object] | None]) -> int:
    """Start them, pass on what is told, and return how they ended."""
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    threads = max(1, (os.cpu_count() or 1) // processes)
    env = {"OMP_NUM_THREADS": str(threads)} | os.environ
    with (folder / SAID).open("wb") as said:
        command = [*torchrun, "-m", "recommender.ml.together", str(folder)]
        run = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=said, text=True)
        with run:
            try:
                for line in run.stdout or ():
                    if line.startswith(MARK):
                        what, *told = json.loads(line.removeprefix(MARK))
                        if listener := hear[what]:
                            listener(*told)
            except BaseException:
                run.terminate()  # torchrun ends its processes
                raise
    return run.returncode


def _why(folder: Path, code: int) -> TrainingFailed:
    """Return what the processes say of their failure; one that was killed says nothing, and torchrun says that."""
    for told in sorted(folder.glob(f"{FAILED}-*")):
        return TrainingFailed(*json.loads(told.read_text()))
    said = (folder / SAID).read_text(errors="replace")[-MOST_SAID:]
    return TrainingFailed("process_failed", f"torchrun ended with {code}:\n{said}")


def _tell(*what: Any) -> None:
    sys.stdout.write(f"{MARK}{json.dumps(what)}\n")
    sys.stdout.flush()


def main(folder: Path) -> None:
    """Do what is asked, as one of the processes."""
    rank = int(os.environ["RANK"])
    asked: Asked = torch.load(folder / ASKED, weights_only=False)
    is_first = rank == 0
    try:
        fitted = asked.fit(
            progress=(lambda *done: _tell(STEP, *done)) if is_first else None,
            curve=(lambda point: _tell(EPOCH, *point)) if is_first else None,
        )
    except TrainingFailed as failed:
        (folder / f"{FAILED}-{rank}").write_text(json.dumps([failed.code, str(failed)]))
        raise
    if is_first:
        torch.save(fitted, folder / FITTED)
    sys.stdout.flush()
    # Not by the interpreter's end: in it gloo's threads at times abort a process whose work is done (2 fits of 54).
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
