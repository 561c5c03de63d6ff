"""Asking for a search of a model's settings, and having a search or a training done no further."""

from datetime import datetime

from django.db import connection, transaction

from kpplatform.errors import Conflict, Invalid
from kpplatform.jobs import operations as jobs
from kpplatform.tenancy.scope import current_tenant_id
from recommender import queries
from recommender.ml.spaces import SAMPLERS, SPACES
from recommender.models import TrainingRun

TUNE = "recommender.tasks.tune"
LEAST_MINUTES, MOST_MINUTES = 0.1, 720.0
MOST_TRIALS = 1_000
MOST_SEED = 2**31


class NothingToSearch(Invalid):
    code = "nothing_to_search"


class BudgetOutOfBounds(Invalid):
    code = "budget_out_of_bounds"


class SearchGoesOn(Conflict):
    code = "search_goes_on"


class RunIsOver(Conflict):
    code = "run_is_over"


@transaction.atomic
def ask_for_search(
    *, model: str, minutes: float, trials: int, sampler: str = SAMPLERS[0], seed: int = 0, at: datetime
) -> TrainingRun:
    """Have a worker search a model's settings for so many minutes or trials, whichever is over first.

    Raises NothingToSearch, BudgetOutOfBounds, and SearchGoesOn while one waits or runs.
    """
    if model not in SPACES or sampler not in SAMPLERS:
        raise NothingToSearch(f"{model} is none of {', '.join(SPACES)}, or {sampler} none of {', '.join(SAMPLERS)}.")
    # Put so that what is no number is out of bounds, too.
    if not (LEAST_MINUTES <= minutes <= MOST_MINUTES and 1 <= trials <= MOST_TRIALS and 0 <= seed < MOST_SEED):
        raise BudgetOutOfBounds(f"{LEAST_MINUTES} to {MOST_MINUTES:g} minutes, and 1 to {MOST_TRIALS} trials.")
    _hold_searches()
    if queries.search_goes_on():
        raise SearchGoesOn("Another search waits or runs: cancel it, or wait until it has ended.")
    job = jobs.enqueue(TUNE, queue="training", key=TUNE)
    assert job is not None, "Nobody else asks meanwhile."
    plan = {"model": model, "minutes": minutes, "trials": trials, "sampler": sampler, "seed": seed}
    run = TrainingRun(kind=TrainingRun.Kind.SEARCH, state=TrainingRun.State.WAITING, model=model, job=job.pk, plan=plan)
    run.data_until = run.started_at = run.updated_at = at
    run.save()
    return run


@transaction.atomic
def cancel_run(*, run: TrainingRun, at: datetime) -> TrainingRun:
    """Have a search or a training done no further; its worker stops at its next step. Raises RunIsOver."""
    if run.job is None or not jobs.cancel(job_id=run.job, at=at):
        raise RunIsOver("It has ended, or was begun from a shell and is ended there.")
    run.refresh_from_db()  # as its worker left it: from now on it writes nothing more
    run.state, run.seconds_left, run.ended_at, run.updated_at = TrainingRun.State.CANCELLED, None, at, at
    run.save(update_fields=["state", "seconds_left", "ended_at", "updated_at"])
    return run


def _hold_searches() -> None:
    """Let nobody else ask for a search in this tenant before the transaction ends."""
    with connection.cursor() as cursor:
        what = f"recommender.searches:{current_tenant_id()}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [what])
