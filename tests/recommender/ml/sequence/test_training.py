"""A training goes on after it was killed, stops when it should, and says by code when it cannot."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from recommender.ml import models
from recommender.ml.arrays import Floats
from recommender.ml.interactions import Interactions
from recommender.ml.model import Point
from recommender.ml.sequence import checkpoints, state, stepping, training
from recommender.ml.sequence.config import Config, settled
from recommender.ml.sequence.fitted import Fitted
from recommender.ml.sequence.fitting import fit
from recommender.ml.sequence.learner import Learner
from recommender.ml.sequence.processes import Processes
from recommender.ml.sequence.stepping import TrainingFailed
from recommender.ml.sequence.training import Run
from recommender.ml.sequence.validation import Validation, held_back
from recommender.ml.sequence.windows import Batch
from recommender.ml.splits import leave_one_out
from tests.recommender.ml import make
from tests.recommender.ml.sequence import planted

ROOT = Path(__file__).resolve().parents[4]
DATA = planted.both_ways()
BRIEF = planted.small("transformer", epochs=8, every=2, tokens=128, dropout=0.2)


def scores(model: Fitted, data: Interactions = DATA) -> Floats:
    return model.score(data, np.arange(data.shape[0], dtype=np.int32))


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("after", [3, 17, 40])
def test_a_training_that_was_killed_ends_as_if_it_had_not_been(
    after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fit(DATA, config=BRIEF, device="cpu")
    monkeypatch.setattr(training, "WRITTEN_EVERY_S", 0.0)
    monkeypatch.setattr(training, "LOOKED_AT_EVERY", 1)
    steps = 0

    def kill(done: int, of: int) -> None:
        nonlocal steps
        steps += 1
        if steps == after:
            raise Killed

    with pytest.raises(Killed):
        fit(DATA, config=BRIEF, device="cpu", progress=kill, checkpoints=tmp_path)
    points: list[Point] = []
    resumed = fit(DATA, config=BRIEF, device="cpu", curve=points.append, checkpoints=tmp_path)

    assert np.array_equal(scores(resumed), scores(whole))
    assert points[-1].step == BRIEF.epochs
    assert len(points) < BRIEF.epochs or after < 9  # it did not begin anew


def test_a_process_that_is_killed_leaves_a_whole_checkpoint(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from tests.recommender.ml.sequence.test_training import *;"
        "training.WRITTEN_EVERY_S = 0; training.LOOKED_AT_EVERY = 1;"
        "fit(DATA, config=replace_epochs(10_000), device='cpu', checkpoints=pathlib.Path(sys.argv[1]))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT)
    deadline = time.monotonic() + 120
    while not (tmp_path / checkpoints.NAME).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL

    config = settled(replace_epochs(10_000), lengths=np.bincount(DATA.viewer), items=DATA.shape[1])
    state = checkpoints.read(tmp_path, made_for=checkpoints.of(DATA, config, 0))

    assert state is not None
    assert state["epoch"] + state["step"] > 0


def replace_epochs(epochs: int) -> Config:
    return planted.small("transformer", epochs=epochs, tokens=128)


def test_a_checkpoint_of_something_else_or_a_torn_one_is_not_gone_on_from(tmp_path: Path) -> None:
    made_for = checkpoints.of(DATA, BRIEF, 0)
    checkpoints.write(tmp_path, {"epoch": 3}, made_for=made_for)

    assert checkpoints.read(tmp_path, made_for=made_for) is not None
    assert checkpoints.read(tmp_path, made_for=checkpoints.of(DATA, BRIEF, 1)) is None
    assert checkpoints.read(tmp_path, made_for=checkpoints.of(planted.rounds(), BRIEF, 0)) is None
    whole = (tmp_path / checkpoints.NAME).read_bytes()
    (tmp_path / checkpoints.NAME).write_bytes(whole[: len(whole) // 2])
    assert checkpoints.read(tmp_path, made_for=made_for) is None


def test_what_is_no_number_any_more_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def forward(self: Learner, batch: Batch) -> torch.Tensor:
        return self.network.bias.sum() * torch.nan

    monkeypatch.setattr(Learner, "forward", forward)

    with pytest.raises(TrainingFailed) as failed:
        fit(DATA, config=BRIEF, device="cpu", checkpoints=tmp_path)

    assert failed.value.code == "diverged"
    assert not list(tmp_path.iterdir())  # nothing of it is kept


PLAIN = Learner.forward


@pytest.fixture
def scarce(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let memory run out above four windows in a batch; return how many each batch had that fitted."""
    fitted: list[int] = []
    monkeypatch.setattr(state, "narrow", lambda _: False)

    def forward(self: Learner, batch: Batch) -> torch.Tensor:
        if len(batch.items) > 4:
            raise torch.OutOfMemoryError("no more")
        fitted.append(len(batch.items))
        return PLAIN(self, batch)

    monkeypatch.setattr(Learner, "forward", forward)
    return fitted


def test_where_memory_is_short_a_batch_is_taken_in_parts_and_teaches_the_same(scarce: list[int]) -> None:
    config = planted.small("gru", epochs=3, tokens=128, untold=0.0)

    in_parts = fit(DATA, config=config, device="cpu")

    assert max(scarce) <= 4
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Learner, "forward", PLAIN)
        whole = fit(DATA, config=config, device="cpu")
    assert scores(in_parts) == pytest.approx(scores(whole), abs=1e-3)


def test_where_there_is_no_memory_at_all_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def forward(self: Learner, batch: Batch) -> torch.Tensor:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")

    monkeypatch.setattr(Learner, "forward", forward)

    with pytest.raises(TrainingFailed) as failed:
        fit(DATA, config=BRIEF, device="cpu")

    assert failed.value.code == "out_of_memory"


def test_another_error_is_not_taken_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def forward(self: Learner, batch: Batch) -> torch.Tensor:
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(Learner, "forward", forward)

    with pytest.raises(RuntimeError, match="shapes"):
        fit(DATA, config=BRIEF, device="cpu")


def test_it_ends_when_nothing_gets_better(monkeypatch: pytest.MonkeyPatch) -> None:
    said = iter([0.1, 0.3, 0.2, 0.2, 0.2, 0.9])
    monkeypatch.setattr(Validation, "ndcg", lambda *_: next(said))
    points: list[Point] = []

    fit(DATA, config=planted.small("gru", epochs=50, every=1, patience=2), device="cpu", curve=points.append)

    assert [point.quality for point in points] == [0.1, 0.3, 0.2, 0.2, 0.2]


def test_where_nobody_can_be_held_back_it_learns_to_the_end() -> None:
    """Nobody meets anything new after the first, so nothing could be withheld from them."""
    again = make.interactions(*[(viewer, viewer % 3, 1.0) for viewer in range(9) for _ in range(4)])
    points: list[Point] = []

    model = fit(again, config=planted.small("gru", epochs=40, every=1), device="cpu", curve=points.append)

    assert [point.quality for point in points] == [None] * 40
    assert (scores(model, again).argmax(1) == np.arange(9) % 3).all()


def test_epochs_are_planned_into_the_time_there_is() -> None:
    points: list[Point] = []
    config = planted.small("gru", epochs=100_000, minutes=0.05)

    began = time.perf_counter()
    fit(DATA, config=config, device="cpu", curve=points.append)

    assert time.perf_counter() - began < 30
    assert points[-1].step < 100_000
    assert points[-1].quality is not None  # what was reached is judged


def test_the_curve_goes_down_and_progress_up() -> None:
    points: list[Point] = []
    told: list[tuple[int, int]] = []

    fit(DATA, config=BRIEF, device="cpu", curve=points.append, progress=lambda done, of: told.append((done, of)))

    assert [point.step for point in points] == list(range(1, 9))
    assert (points[-1].loss or 0) < (points[0].loss or 0)
    assert [point.quality is not None for point in points] == [False, True] * 4
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == told[-1][1]


def test_some_viewers_are_held_back_and_the_others_learned_from_to_their_end() -> None:
    split = held_back(DATA, judged=10, seed=0)

    assert len(split.test) == 10
    assert len(split.train) == len(DATA) - 10
    assert split.train.asked_at is not None
    assert (split.train.asked_at[split.test.viewer] == split.test.at).all()


def test_sizes_decide_what_is_not_told() -> None:
    small = settled(Config(), lengths=np.full(100, 20), items=50)
    large = settled(Config(), lengths=np.full(1_000_000, 30), items=100_000)
    nobody = settled(Config(), lengths=np.zeros(0, np.int64), items=0)

    assert (small.length, small.width, small.negatives, small.judged) == (24, 64, 0, 25)
    assert (large.length, large.width, large.negatives, large.judged) == (32, 128, 4_096, 4_096)
    assert small.epochs > 20 > large.epochs >= 3
    assert nobody.epochs >= 1
    assert settled(Config(width=8, epochs=1), lengths=np.full(100, 20), items=50).width == 8


def test_with_sampled_negatives_it_learns_too() -> None:
    split = leave_one_out(DATA)

    said = scores(fit(split.train, config=planted.small("gru", negatives=4), device="cpu"), split.train)

    unseen = np.where(split.train.seen().toarray() > 0, -np.inf, said)
    assert np.mean(unseen[split.test.viewer].argmax(1) == split.test.item) > 0.9


def test_models_fit_by_name_with_a_curve_and_a_folder(tmp_path: Path) -> None:
    points: list[Point] = []
    settings = {"width": 8, "layers": 1, "epochs": 2}

    model = models.fit("lstm", DATA, settings=settings, curve=points.append, checkpoints=tmp_path)

    assert model.name == "lstm"
    assert len(points) == 2
    assert (tmp_path / checkpoints.NAME).exists()


def test_who_has_wanted_one_thing_only_teaches_what_is_popular() -> None:
    lonely = make.interactions(*[(viewer, viewer % 3, 1.0) for viewer in range(9)], (9, 0, 1.0))

    said = scores(fit(lonely, config=planted.small("gru"), device="cpu"), lonely)

    assert np.isfinite(said).all()
    assert stepping.generator(0, 0).initial_seed() == 0


def test_a_run_begins_where_its_checkpoint_stands(tmp_path: Path) -> None:
    fit(DATA, config=BRIEF, device="cpu", checkpoints=tmp_path)
    config = settled(BRIEF, lengths=np.bincount(DATA.viewer), items=DATA.shape[1])
    told = training.Told(folder=tmp_path)

    run = Run(DATA, config=config, seed=0, device="cpu", processes=Processes(), told=told)

    assert run.training.epoch == BRIEF.epochs
    assert not run.training.goes_on
