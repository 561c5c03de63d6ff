"""Training a tenant's model anew: safe to be killed anywhere and to be repeated.

An artefact appears whole or not at all; the row that names it is written last, in one transaction. What a killed
training has left behind is deleted by the next one.
"""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.places import tenant_folder
from kpplatform.tenancy.scope import current_tenant_id, scope
from recommender import queries
from recommender.ml import models
from recommender.ml.evaluation import Judgement
from recommender.ml.interactions import BrokenData, Interactions
from recommender.ml.model import Model
from recommender.models import ModelVersion, TrainingRun
from recommender.operations import Trained
from recommender.serving import artefacts
from recommender.training import devices
from recommender.training.blending import among, learned
from recommender.training.candidates import USUAL, Budget, Candidate, Plan, Sizes, planned
from recommender.training.fitting import Fits, forget_checkpoints, settings_of
from recommender.training.judging import INCUMBENT, Verdict, audited, good, held_back, judgements, verdict
from recommender.training.publishing import publish, reject
from recommender.training.reading import fingerprint, read
from recommender.training.runs import RunLog, run_log

log = logging.getLogger(__name__)

FEWEST_EVENTS = 200
BESIDE = 2  # models of other kinds that a version may have beside the best one
Kind, Stage = TrainingRun.Kind, TrainingRun.Stage


@dataclass(frozen=True)
class Incumbent:
    """The version in place: its model, and the last moment (milliseconds) it has learned from."""

    model: Model
    learned_until: int


@dataclass(frozen=True)
class Lesson:
    """What there is to learn from, what stands, and what may be spent."""

    data: Interactions
    trained: Trained
    incumbent: Incumbent | None
    is_known: bool  # nothing has happened since the last training
    budget: Budget


@dataclass(frozen=True)
class Chosen:
    """What the judges say, and the models that the version will have, the best one first."""

    verdict: Verdict
    parts: tuple[Candidate, ...]


def retrain(*, tenant: Tenant, at: datetime, share: float | None = None, budget: Budget | None = None) -> None:
    """Learn from what was done before `at`, and publish the best models if they are surely good enough.

    With a share, what passes is tried on that share of the viewers. What was learned and judged before is not learned
    again, unless its artefact is lost. Without a budget the settings say what may be spent. Raises Overtaken.
    """
    with run_log(tenant=tenant, kind=Kind.DAILY, at=at) as run:
        lesson = _lesson(run, budget or Budget.usual())
        if lesson.is_known:
            run.tell(outcome="nothing_new")
        elif len(lesson.data) < FEWEST_EVENTS:
            reject(run, lesson.trained, kind="", reason="too_few_events", metrics={})
        else:
            _learn(run, lesson, share)
        forget_checkpoints(run)


def _lesson(run: RunLog, budget: Budget) -> Lesson:
    """Read what there is to learn from."""
    run.enter(Stage.READING, until=0.05)
    with scope(run.tenant):
        ratings = queries.ratings()
        data, snapshot = read(until=run.run.data_until, in_full=False, ratings=ratings)
        known, standing = queries.newest_version(), queries.published_version()
        incumbent = _incumbent(standing)
    until = run.run.data_until
    trained = Trained(
        events=len(data),
        data=fingerprint(data),
        learned_until=_last(data),
        at=until,
        over=standing,
        recipe={"ratings": ratings.told()},
    )
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
    return Lesson(data, trained, incumbent, is_known, budget)


def _learn(run: RunLog, lesson: Lesson, share: float | None) -> None:
    with scope(run.tenant):
        plan = planned(Sizes.of(lesson.data), lesson.budget, found=queries.found_settings())
    run.tell(plan=plan.told(lesson.budget), settings=settings_of({of.name: of for of in plan.tried}))
    try:
        chosen = _chosen(run, lesson, plan)
    except NothingFitted as nothing:
        reject(run, lesson.trained, kind="", reason=nothing.code, metrics={})
        return
    judged = chosen.verdict
    run.tell(metrics=judged.metrics)
    if not judged.passed:
        reject(run, lesson.trained, kind=judged.best, reason=judged.reason, metrics=judged.metrics)
        return
    parts = _refitted(run, lesson, chosen)
    if blend := judged.metrics.get("blend"):
        blend["weights"] = among(blend["weights"], parts, best=judged.best)
    publish(run, parts, lesson.data, lesson.trained, judged, budget=lesson.budget, share=share)


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


class NothingFitted(Exception):
    """No model could be fitted within the time and memory there are."""

    code = "nothing_could_be_fitted"


def _chosen(run: RunLog, lesson: Lesson, plan: Plan) -> Chosen:
    """Fit and judge the models of a plan, and choose. Raises NothingFitted."""
    incumbent = lesson.incumbent
    split = held_back(lesson.data, learned_until=incumbent.learned_until if incumbent else None)
    fits = Fits(run, split.train, lesson.budget)
    judged: dict[str, Judgement] = {}
    began = run.elapsed
    for candidate, until in _spread(run, plan.tried, until=0.6):
        if judged and run.elapsed - began > lesson.budget.seconds_until_judged:
            fits.leave_out(candidate, "no_time_left")
            continue
        run.enter(Stage.FITTING, until=until, model=candidate.name)
        fits.fit(candidate)
        if candidate.name in fits.models:
            with fits.excused(candidate):
                judged |= judgements(split, {candidate.name: fits.models[candidate.name]})
    if not judged:
        raise NothingFitted(str(fits.failed))
    run.enter(Stage.JUDGING, until=0.65)
    usual = {name: models.fit(name, split.train) for name in USUAL}
    standing = {INCUMBENT: incumbent.model} if incumbent else {}
    judged |= judgements(split, {**usual, **standing})
    found = audited(verdict(judged, candidates=list(fits.models), usual=USUAL), judged, split)
    by_name = {of.name: of for of in plan.tried}
    if not found.passed:
        return Chosen(found, (by_name[found.best],))
    beside = _of_other_kinds(good(judged, fits.models, usual=USUAL), best=by_name[found.best], by_name=by_name)
    if not beside:
        return Chosen(found, (by_name[found.best],))
    blend = learned({name: fits.models[name] for name in (found.best, *beside)}, split)
    found.metrics["blend"] = blend.told()
    kept = [name for name in beside if blend.weights[name] > 0]
    return Chosen(found, tuple(by_name[name] for name in (found.best, *kept)))


def _of_other_kinds(names: list[str], *, best: Candidate, by_name: dict[str, Candidate]) -> list[str]:
    """Return the best of every kind but that of the best of all."""
    kinds = {best.kind}
    found = []
    for name in names:
        if by_name[name].kind not in kinds:
            kinds.add(by_name[name].kind)
            found.append(name)
    return found[:BESIDE]


def _refitted(run: RunLog, lesson: Lesson, chosen: Chosen) -> dict[str, Model]:
    """Fit what was chosen on everything. Raises what the best one raises; others are left out."""
    fits = Fits(run, lesson.data, lesson.budget)
    for candidate, until in _spread(run, chosen.parts, until=0.9):
        run.enter(Stage.REFITTING, until=until, model=candidate.name)
        fits.fit(candidate)
    if chosen.verdict.best not in fits.models:
        raise BrokenData("refit_failed", f"{chosen.verdict.best}: {fits.failed[chosen.verdict.best]}")
    return fits.models


def _spread(run: RunLog, candidates: tuple[Candidate, ...], *, until: float) -> list[tuple[Candidate, float]]:
    """Return each with the share of the whole at which it ends: by the seconds foreseen, and one for judging it."""
    begins = run.span[1]
    seconds = [of.seconds + 1 for of in candidates]
    return [
        (of, begins + (until - begins) * sum(seconds[: place + 1]) / sum(seconds))
        for place, of in enumerate(candidates)
    ]


def _last(data: Interactions) -> datetime | None:
    return datetime.fromtimestamp(int(data.at.max()) / 1000, UTC) if len(data) else None
