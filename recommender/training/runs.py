"""What a training says while it goes on: into its row, at most once a second, and into TensorBoard's files."""

import logging
import math
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from kpplatform.jobs.running import LeaseLost, current_job_id, report
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.places import tenant_folder
from kpplatform.tenancy.scope import scope
from recommender import queries
from recommender.models import TrainingRun
from recommender.training.boards import Board
from recommender.training.memory import forget_peak, peak_mb

log = logging.getLogger(__name__)

Point = tuple[int, float | None, float | None, float]

WRITTEN_EVERY_S = 1.0
MOST_POINTS = 400  # of a curve; a longer one keeps every second point
MOST_NOTES = 200
DONE_FROM = 0.01  # share from which the time left can be told
Stage, State = TrainingRun.Stage, TrainingRun.State


class RunLog:
    """The row of a training that goes on."""

    def __init__(self, tenant: Tenant, run: TrainingRun, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.tenant, self.run, self.clock = tenant, run, clock
        self.began, self.spent = clock(), run.seconds
        self.span = (0.0, 0.0)
        self.written = -math.inf
        with scope(tenant):
            self.board = Board(tenant_folder("tensorboard", f"run-{run.pk}"))

    def enter(self, stage: str, *, until: float, model: str = "") -> None:
        """Begin a part of the work: what is between here and `until` (0 to 1) is its share of the whole."""
        self.span = (self.span[1], max(until, self.span[1]))
        self.run.stage, self.run.model = stage, model
        self.run.progress = self.span[0]
        self.write()

    def progress(self, done: int, of: int) -> None:
        """Take note of how many of how many steps of the part are done."""
        start, end = self.span
        self.run.progress = start + (end - start) * min(done / max(of, 1), 1.0)
        self.goes_on()

    def point(self, point: Point) -> None:
        """Add a point to the curve of the model that is being fitted: step, loss, quality, seconds since it began."""
        step, *told, seconds = point
        loss, quality = (value if value is not None and math.isfinite(value) else None for value in told)
        if told[0] is not None and loss is None:
            self.note(f"{self.run.model}: the loss of step {step} is {told[0]}")
        points = self.run.curves.setdefault(self.curve, [])
        points.append({"step": step, "loss": loss, "quality": quality, "seconds": round(seconds, 1)})
        if len(points) > MOST_POINTS:
            del points[1:-1:2]
        self.run.loss = loss if loss is not None else self.run.loss
        self.board.scalars(self.curve, step, loss=loss, quality=quality)
        self.goes_on()

    def note(self, what: str) -> None:
        """Write down what is worth saying, at once."""
        log.info("training run %s: %s", self.run.pk, what)
        self.run.notes = [*self.run.notes, {"at": timezone.now().isoformat(timespec="seconds"), "what": what}]
        del self.run.notes[:-MOST_NOTES]
        self.write()

    def tell(self, **fields: Any) -> None:
        """Set columns of the row, at once."""
        for name, value in fields.items():
            setattr(self.run, name, value)
        self.write()

    def write(self) -> None:
        """Write the row, and show the job's progress. Raises LeaseLost when somebody else has the job."""
        self.written, run = self.clock(), self.run
        run.seconds = round(self.spent + self.written - self.began, 1)
        run.seconds_left = self._left()
        run.peak_mb = max(run.peak_mb, round(peak_mb(), 1))
        run.updated_at = timezone.now()
        with scope(self.tenant):
            report(run.progress)
            run.save()

    def goes_on(self) -> None:
        """Write the row if that was not done within the last second. Raises LeaseLost as `write` does."""
        if self.clock() - self.written >= WRITTEN_EVERY_S:
            self.write()

    def end(self, state: str, *, error: str = "") -> None:
        """Close the row. Raises LeaseLost when somebody else has the job, or it was cancelled."""
        self.board.close()
        run = self.run
        run.state, run.error, run.seconds_left, run.ended_at = state, error, None, timezone.now()
        run.seconds = round(self.spent + self.clock() - self.began, 1)
        if state == State.DONE:
            run.stage, run.model, run.progress = Stage.ENDED, "", 1.0
        run.updated_at = run.ended_at
        with scope(self.tenant):
            report(run.progress)
            run.save()

    @property
    def elapsed(self) -> float:
        """Return the seconds since this worker began."""
        return self.clock() - self.began

    @property
    def curve(self) -> str:
        """Return whose curve it is: a model is fitted once to be judged and once more on everything."""
        return f"{self.run.model} (all)" if self.run.stage == Stage.REFITTING else self.run.model

    def _left(self) -> float | None:
        gone, share = self.clock() - self.began, self.run.progress
        return round(gone / share * (1 - share), 1) if share >= DONE_FROM else None


@contextmanager
def run_log(*, tenant: Tenant, kind: str, at: datetime) -> Iterator[RunLog]:
    """Open the row of a training, or open it again where its worker died; close it however the training ends."""
    forget_peak()
    with scope(tenant):
        opened = RunLog(tenant, _opened(kind=kind, at=at))
    try:
        yield opened
    except LeaseLost:
        raise  # the row is somebody else's by now
    except Exception as error:
        opened.end(State.FAILED, error="".join(traceback.format_exception(error, limit=20)).replace("\0", ""))
        raise
    opened.end(State.DONE)


@transaction.atomic
def _opened(*, kind: str, at: datetime) -> TrainingRun:
    job = current_job_id()
    known = TrainingRun.objects.filter(job=job).first() if job is not None else None
    # What a shell has begun may go on for all that one can tell; if it does, it writes so itself a second later.
    left = queries.with_lost(TrainingRun.objects.filter(state=State.RUNNING)).exclude(pk=known.pk if known else 0)
    left.filter(Q(is_lost=True) | Q(job=None)).update(
        state=State.FAILED, error="Its worker died.", seconds_left=None, ended_at=at
    )
    if known:
        if known.state == State.WAITING:
            known.started_at = at
        else:
            known.resumed += 1
        known.state, known.ended_at = State.RUNNING, None
        known.save()
        return known
    return TrainingRun.objects.create(kind=kind, job=job, data_until=at, started_at=at, updated_at=at)
