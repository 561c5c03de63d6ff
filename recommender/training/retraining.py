"""Training a tenant's model anew: safe to be killed anywhere and to be repeated.

An artefact appears whole or not at all; the row that names it is written last, in one transaction. What a killed
training has left behind is deleted by the next one.
"""

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.places import tenant_folder
from kpplatform.tenancy.scope import current_tenant_id, scope
from recommender import operations, queries
from recommender.ml import models
from recommender.ml.factors import Factors
from recommender.ml.interactions import Interactions
from recommender.ml.model import Model
from recommender.ml.popularity import recent
from recommender.models import ModelVersion, TrainingRun
from recommender.operations import Trained
from recommender.serving import artefacts
from recommender.serving.artefacts import Savable
from recommender.serving.bundle import retrieval
from recommender.training import devices
from recommender.training.beside import beside
from recommender.training.judging import INCUMBENT, Verdict, audited, held_back, judgements, verdict
from recommender.training.reading import fingerprint, read
from recommender.training.runs import RunLog, run_log

log = logging.getLogger(__name__)

FEWEST_EVENTS = 200
MOST_FOR_GRADIENTS = 2_000_000  # events; above that, the factorisation by gradients takes too long for its use
SERVED_CELLS = 6_400_000  # items × factors that a web process multiplies in a few milliseconds
FACTORS = (16, 128)  # at least, at most
RECENT_ALS = "recent-als"
USUAL = ("popularity", "recent-popularity")
Kind, Stage = TrainingRun.Kind, TrainingRun.Stage


@dataclass(frozen=True)
class Incumbent:
    """The version in place: its model, and the last moment (milliseconds) it has learned from."""

    model: Model
    learned_until: int


@dataclass(frozen=True)
class Lesson:
    """What there is to learn from and what stands."""

    data: Interactions
    trained: Trained
    incumbent: Incumbent | None
    is_known: bool  # nothing has happened since the last training


def retrain(*, tenant: Tenant, at: datetime, share: float | None = None) -> None:
    """Learn from what was done before `at`, and publish the best model if it is surely good enough.

    With a share, what passes is tried on that share of the viewers. What was learned and judged before is not learned
    again, unless its artefact is lost. Raises Overtaken.
    """
    with run_log(tenant=tenant, kind=Kind.DAILY, at=at) as run:
        lesson = _lesson(run)
        if lesson.is_known:
            run.tell(outcome="nothing_new")
        elif len(lesson.data) < FEWEST_EVENTS:
            _reject(run, lesson, kind="", reason="too_few_events", metrics={})
        else:
            _learn(run, lesson, share)


def _lesson(run: RunLog) -> Lesson:
    """Read what there is to learn from."""
    run.enter(Stage.READING, until=0.1)
    with scope(run.tenant):
        data, snapshot = read(until=run.run.data_until, in_full=False)
        known, standing = queries.newest_version(), queries.published_version()
        incumbent = _incumbent(standing)
    until = run.run.data_until
    trained = Trained(events=len(data), data=fingerprint(data), learned_until=_last(data), at=until, over=standing)
    viewers, items = data.shape
    run.tell(
        kind=Kind.FULL if snapshot.in_full_at == until else Kind.DAILY,
        device=devices.described(),
        data=trained.data,
        events=len(data),
        viewers=viewers,
        items=items,
    )
    is_known = bool(known and known.data == trained.data and (incumbent or not standing))
    return Lesson(data, trained, incumbent, is_known)


def _learn(run: RunLog, lesson: Lesson, share: float | None) -> None:
    judged = _judge(run, lesson)
    run.tell(metrics=judged.metrics)
    if not judged.passed:
        _reject(run, lesson, kind=judged.best, reason=judged.reason, metrics=judged.metrics)
        return
    run.enter(Stage.REFITTING, until=0.95, model=judged.best)
    model = _fit(judged.best, lesson.data, run)
    _publish(run, {retrieval(model.name): model, **beside(model, lesson.data)}, lesson.trained, judged, share)


def _reject(run: RunLog, lesson: Lesson, **why: object) -> None:
    with scope(run.tenant):
        version = operations.reject_version(trained=lesson.trained, **why)  # type: ignore[arg-type]
    run.tell(outcome=version.reason, version=version)


def _incumbent(version: ModelVersion | None) -> Incumbent | None:
    if version is None or version.learned_until is None:
        return None
    try:
        folder = tenant_folder("models", version.folder)
        model = artefacts.load(folder, version.sha256, tenant_id=current_tenant_id()).main
    except artefacts.BrokenArtefactError:
        log.exception("version %s is broken; a new one need not beat it", version.pk)
        return None
    return Incumbent(model, int(version.learned_until.timestamp() * 1000))


def _judge(run: RunLog, lesson: Lesson) -> Verdict:
    incumbent = lesson.incumbent
    split = held_back(lesson.data, learned_until=incumbent.learned_until if incumbent else None)
    run.enter(Stage.FITTING, until=0.4, model="implicit-als")
    als = _fit("implicit-als", split.train, run)
    weight = np.float32(models.MODELS[RECENT_ALS].config.recency)
    with_recent = replace(als, item_bias=weight * recent(split.train, days=models.MODELS[RECENT_ALS].config.days))
    candidates = {"implicit-als": als, RECENT_ALS: with_recent}
    if len(split.train) <= MOST_FOR_GRADIENTS:
        run.enter(Stage.FITTING, until=0.55, model="biased-mf")
        candidates["biased-mf"] = _fit("biased-mf", split.train, run)
    run.enter(Stage.JUDGING, until=0.65)
    usual = {name: models.fit(name, split.train) for name in USUAL}
    standing = {INCUMBENT: incumbent.model} if incumbent else {}
    judged = judgements(split, {**candidates, **usual, **standing})
    return audited(verdict(judged, candidates=list(candidates), usual=USUAL), judged, split)


def _fit(name: str, train: Interactions, run: RunLog) -> Factors:
    factors = np.clip(SERVED_CELLS // max(train.shape[1], 1), *FACTORS)
    fitted = models.fit(name, train, settings={"factors": int(factors)}, progress=run.progress)
    assert isinstance(fitted, Factors)
    return fitted


def _publish(run: RunLog, parts: Mapping[str, Savable], trained: Trained, judged: Verdict, share: float | None) -> None:
    name = uuid.uuid4().hex
    with scope(run.tenant):
        folder = tenant_folder("models", name)
    sealed = artefacts.store(parts, folder, tenant_id=run.tenant.pk)
    with scope(run.tenant):
        run.enter(Stage.PUBLISHING, until=0.98)  # in the same transaction: who has lost the job publishes nothing
        version = operations.publish_version(
            trained=trained,
            kind=judged.best,
            reason=judged.reason,
            metrics=judged.metrics,
            folder=name,
            sha256=sealed,
            share=share,
        )
        run.tell(outcome=version.reason, version=version)
    with scope(run.tenant):
        operations.clear_artefacts()


def _last(data: Interactions) -> datetime | None:
    return datetime.fromtimestamp(int(data.at.max()) / 1000, UTC) if len(data) else None
