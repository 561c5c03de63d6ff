"""What comes of a training: a version with all its parts, or a line that says why there is none."""

import logging
import math
import uuid
from collections.abc import Mapping
from typing import Any

from kpplatform.jobs.running import LeaseLost
from kpplatform.tenancy.places import tenant_folder
from kpplatform.tenancy.scope import scope
from recommender import operations
from recommender.ml.interactions import Interactions
from recommender.ml.model import Model
from recommender.ml.ranker import boosted, choosing
from recommender.models import TrainingRun
from recommender.operations import Trained
from recommender.serving import artefacts
from recommender.serving.artefacts import Savable
from recommender.serving.bundle import RANKER, retrieval
from recommender.training import devices
from recommender.training.beside import beside
from recommender.training.candidates import Budget
from recommender.training.fitting import SLACK, Timer, measured
from recommender.training.following import learned_from_follows
from recommender.training.judging import Verdict
from recommender.training.questions import MOST_QUESTIONS
from recommender.training.ranking import Found, fit_ranker
from recommender.training.runs import RunLog

log = logging.getLogger(__name__)

RANKED_FROM = 5_000  # events; of fewer, putting a page in order is not learned
SECONDS_OF_A_QUESTION = 1e-3  # for fitting trees twice: to be judged, and on everything
SECONDS_OF_A_NETWORK = 300  # for its thousand steps twice, on a processor
FASTER_ON_A_CARD = 10
Stage = TrainingRun.Stage


def publish(
    run: RunLog,
    fitted: Mapping[str, Model],
    data: Interactions,
    trained: Trained,
    judged: Verdict,
    *,
    budget: Budget,
    share: float | None,
) -> None:
    """Store a version of these models, the best one first, and serve it: to everybody or to a share of the viewers."""
    main = fitted[judged.best]
    models = {judged.best: main, **fitted}
    parts = {
        **{retrieval(name): model for name, model in models.items()},
        **beside(main, data),
        **_follows(run),
        **_ranker(run, judged, budget),
    }
    folder, sealed = _stored(run, parts, trained.recipe["ratings"]["weights"])
    with scope(run.tenant):
        run.enter(Stage.PUBLISHING, until=0.98)  # in the same transaction: who has lost the job publishes nothing
        version = operations.publish_version(
            trained=trained,
            kind=judged.best,
            reason=judged.reason,
            metrics=judged.metrics,
            folder=folder,
            sha256=sealed,
            share=share,
        )
        run.tell(outcome=version.reason, version=version, metrics=judged.metrics)
    with scope(run.tenant):
        operations.clear_artefacts()


def reject(run: RunLog, trained: Trained, **why: object) -> None:
    """Write down what was trained and why it is not served."""
    with scope(run.tenant):
        version = operations.reject_version(trained=trained, **why)  # type: ignore[arg-type]
    run.tell(outcome=version.reason, version=version)


def _stored(run: RunLog, parts: Mapping[str, Savable], ratings: Mapping[str, float]) -> tuple[str, str]:
    """Write the parts, and what they were learned by, into a folder of their own; return its name and its seal."""
    name = uuid.uuid4().hex
    with scope(run.tenant):
        folder = tenant_folder("models", name)
    return name, artefacts.store(parts, folder, tenant_id=run.tenant.pk, ratings=ratings)


def _ranker(run: RunLog, judged: Verdict, budget: Budget) -> dict[str, Savable]:
    """Return the part that ranks, if one surely helps; whatever happens here, the version goes out."""
    run.enter(Stage.REFITTING, until=0.96, model=RANKER)
    found = _found(run, budget) if run.run.events >= RANKED_FROM else Found(None, "too_few_events", {})
    judged.metrics[RANKER] = {"reason": found.reason, "kinds": _figures(found)}
    if found.part is None:
        run.note(f"ranker: {found.reason}")
        return {}
    return {RANKER: found.part}


def _follows(run: RunLog) -> dict[str, Savable]:
    with scope(run.tenant):
        return learned_from_follows(run.run)


def _found(run: RunLog, budget: Budget) -> Found:
    """Fit rankers within the budget; a failure is a reason for having none."""
    timer = Timer(SLACK * budget.seconds_of_one, run.progress)
    kinds, most = ranked_by(budget, events=run.run.events)
    with measured(run, foreseen_s=budget.seconds_of_one):
        try:
            return fit_ranker(
                tenant=run.tenant,
                until=run.run.data_until,
                device=devices.device(),
                kinds=kinds,
                most=most,
                progress=timer,
            )
        except LeaseLost:
            raise
        except Exception as error:
            log.exception("no ranker for tenant %s", run.tenant.pk)
            return Found(None, f"failed: {getattr(error, 'code', repr(error))}", {})


def ranked_by(budget: Budget, *, events: int) -> tuple[tuple[str, ...], int]:
    """Return which kinds of ranker there are events and time for, and on how many questions at most they are fitted."""
    of_a_network = SECONDS_OF_A_NETWORK / (FASTER_ON_A_CARD if budget.cards else 1)
    is_roomy = events >= budget.long_from and budget.seconds_of_one >= of_a_network
    most = max(RANKED_FROM, int(budget.seconds_of_one / SECONDS_OF_A_QUESTION))
    return choosing.NAMES if is_roomy else (boosted.NAME,), min(MOST_QUESTIONS, most)


def _figures(found: Found) -> dict[str, Any]:
    """Return what was measured of each kind of ranker, rounded, without what is no number."""
    return {
        kind: {name: round(float(value), 4) for name, value in figures.items() if math.isfinite(value)}
        for kind, figures in found.metrics.items()
    }
