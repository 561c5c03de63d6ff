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

from kpplatform.jobs.running import report
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.places import tenant_folder
from kpplatform.tenancy.scope import current_tenant_id, scope
from recommender import operations, queries
from recommender.ml import models
from recommender.ml.factors import Factors
from recommender.ml.interactions import Interactions
from recommender.ml.model import Model, Progress
from recommender.ml.popularity import recent
from recommender.models import ModelVersion
from recommender.operations import Trained
from recommender.serving import artefacts
from recommender.serving.artefacts import Savable
from recommender.serving.bundle import retrieval
from recommender.training.beside import beside
from recommender.training.judging import Verdict, held_back, verdict
from recommender.training.reading import everything, fingerprint

log = logging.getLogger(__name__)

FEWEST_EVENTS = 200
MOST_FOR_GRADIENTS = 2_000_000  # events; above that, the factorisation by gradients takes too long for its use
SERVED_CELLS = 6_400_000  # items × factors that a web process multiplies in a few milliseconds
FACTORS = (16, 128)  # at least, at most
RECENT_ALS = "recent-als"
USUAL = ("popularity", "recent-popularity")


def retrain(*, tenant: Tenant, at: datetime) -> None:
    """Learn from what was done before `at`, and publish the best model if it surely beats what stands.

    What was learned and judged before is not learned again, unless its artefact is lost. Raises Overtaken.
    """
    with scope(tenant):
        data = everything(until=at)
        known = queries.newest_version()
        standing = queries.published_version()
        incumbent = _incumbent(standing)
    report(0.1)
    trained = Trained(events=len(data), data=fingerprint(data), learned_until=_last(data), at=at, over=standing)
    if known and known.data == trained.data and (incumbent or not standing):
        log.info("nothing has happened since version %s", known.pk)
        return
    if len(data) < FEWEST_EVENTS:
        with scope(tenant):
            operations.reject_version(trained=trained, kind="", reason="too_few_events", metrics={})
        return
    judged = _judge(data, incumbent)
    if not judged.passed:
        with scope(tenant):
            operations.reject_version(trained=trained, kind=judged.best, reason=judged.reason, metrics=judged.metrics)
        return
    model = _fit(judged.best, data, stage(0.65, 0.95))
    _publish(tenant, {retrieval(model.name): model, **beside(model, data)}, trained, judged)


@dataclass(frozen=True)
class Incumbent:
    """The version in place: its model, and the last moment (milliseconds) it has learned from."""

    model: Model
    learned_until: int


def stage(start: float, end: float) -> Progress:
    """Return what shows a fit's steps as the part of the job from `start` to `end`."""
    return lambda done, of: report(start + (end - start) * done / max(of, 1))


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


def _judge(data: Interactions, incumbent: Incumbent | None) -> Verdict:
    split = held_back(data, learned_until=incumbent.learned_until if incumbent else None)
    als = _fit("implicit-als", split.train, stage(0.1, 0.4))
    weight = np.float32(models.MODELS[RECENT_ALS].config.recency)
    with_recent = replace(als, item_bias=weight * recent(split.train, days=models.MODELS[RECENT_ALS].config.days))
    candidates = {"implicit-als": als, RECENT_ALS: with_recent}
    if len(split.train) <= MOST_FOR_GRADIENTS:
        candidates["biased-mf"] = _fit("biased-mf", split.train, stage(0.4, 0.55))
    usual = {name: models.fit(name, split.train) for name in USUAL}
    judged = verdict(split, candidates=candidates, usual=usual, incumbent=incumbent.model if incumbent else None)
    report(0.65)
    return judged


def _fit(name: str, train: Interactions, progress: Progress) -> Factors:
    factors = np.clip(SERVED_CELLS // max(train.shape[1], 1), *FACTORS)
    fitted = models.fit(name, train, settings={"factors": int(factors)}, progress=progress)
    assert isinstance(fitted, Factors)
    return fitted


def _publish(tenant: Tenant, parts: Mapping[str, Savable], trained: Trained, judged: Verdict) -> None:
    name = uuid.uuid4().hex
    with scope(tenant):
        folder = tenant_folder("models", name)
    sealed = artefacts.store(parts, folder, tenant_id=tenant.pk)
    with scope(tenant):
        report(0.97)  # in the same transaction: who has lost the job by now publishes nothing
        operations.publish_version(
            trained=trained, kind=judged.best, reason=judged.reason, metrics=judged.metrics, folder=name, sha256=sealed
        )
    with scope(tenant):
        operations.clear_artefacts()


def _last(data: Interactions) -> datetime | None:
    return datetime.fromtimestamp(int(data.at.max()) / 1000, UTC) if len(data) else None
