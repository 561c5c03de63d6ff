"""What can be told of experiments: which run, who was in which arm, what became of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import QuerySet

from kpplatform import experiments
from kpplatform.experiments import Values
from kpplatform.tenancy.scope import current_tenant_id
from recommender.models import Experiment, ExperimentReading

LONG_VIEW_MS = 18_000  # or to the end, if that comes before: the long view of the KuaiRand data
AT_ONCE = 10_000  # viewers that are taken from the database at a time
BEFORE = timedelta(days=14)  # what a viewer did so long before they were first served is held against chance
METRICS = tuple(Experiment.Metric.values)
GUARDRAILS = ("complaints", "refunds")  # more of these is worse
PER_VIEWER = (*METRICS, *GUARDRAILS)

# Per exposed viewer: what they did since, then what they did before, in the order of PER_VIEWER.
OUTCOMES = """
SELECT e.arm,
    w.minutes, w.long, r.likes, w.days, o.orders, r.complaints, o.refunds,
    w.minutes_before, w.long_before, r.likes_before, w.days_before, o.orders_before, r.complaints_before,
    o.refunds_before
FROM (__EXPOSED__) e,
    LATERAL (SELECT
        coalesce(sum(watch_ms) FILTER (WHERE started_at >= e.exposed_at), 0) / 60000.0 AS minutes,
        coalesce(sum(watch_ms) FILTER (WHERE started_at < e.exposed_at), 0) / 60000.0 AS minutes_before,
        count(*) FILTER (WHERE started_at >= e.exposed_at AND watch_ms >= least(duration_ms, %(long)s)) AS long,
        count(*) FILTER (WHERE started_at < e.exposed_at AND watch_ms >= least(duration_ms, %(long)s)) AS long_before,
        count(DISTINCT started_at::date) FILTER (WHERE started_at >= e.exposed_at) AS days,
        count(DISTINCT started_at::date) FILTER (WHERE started_at < e.exposed_at) AS days_before
     FROM catalog_watch WHERE tenant_id = %(tenant)s AND viewer_id = e.viewer_id AND quarantine = ''
         AND started_at >= e.exposed_at - %(before)s AND started_at < %(until)s) w,
    LATERAL (SELECT
        count(*) FILTER (WHERE reacted_at >= e.exposed_at AND kind <> 'not_interested') AS likes,
        count(*) FILTER (WHERE reacted_at < e.exposed_at AND kind <> 'not_interested') AS likes_before,
        count(*) FILTER (WHERE reacted_at >= e.exposed_at AND kind = 'not_interested') AS complaints,
        count(*) FILTER (WHERE reacted_at < e.exposed_at AND kind = 'not_interested') AS complaints_before
     FROM catalog_reaction WHERE tenant_id = %(tenant)s AND viewer_id = e.viewer_id
         AND reacted_at >= e.exposed_at - %(before)s AND reacted_at < %(until)s) r,
    LATERAL (SELECT
        count(*) FILTER (WHERE paid_at >= e.exposed_at) AS orders,
        count(*) FILTER (WHERE paid_at < e.exposed_at) AS orders_before,
        count(*) FILTER (WHERE paid_at >= e.exposed_at AND state = 'refunded') AS refunds,
        count(*) FILTER (WHERE paid_at < e.exposed_at AND state = 'refunded') AS refunds_before
     FROM billing_order WHERE tenant_id = %(tenant)s AND viewer_id = e.viewer_id
         AND paid_at >= e.exposed_at - %(before)s AND paid_at < %(until)s) o
WHERE e.exposed_at < %(until)s
ORDER BY e.id
"""
EXPOSED = """
SELECT id, viewer_id, arm, exposed_at FROM recommender_exposure
WHERE tenant_id = %(tenant)s AND experiment_id = %(of)s
"""


@dataclass(frozen=True)
class Arm:
    """One arm's viewers (n,): what each did since they were first served, and in the days before."""

    name: str
    outcome: Mapping[str, Values]
    before: Mapping[str, Values]

    def __len__(self) -> int:
        return len(self.outcome[METRICS[0]])


def all_experiments() -> QuerySet[Experiment]:
    """Return the tenant's experiments, the newest first."""
    return Experiment.objects.order_by("-pk")


def readings(experiment: Experiment) -> QuerySet[ExperimentReading]:
    """Return what the experiment had shown until now, the newest first."""
    return ExperimentReading.objects.filter(experiment=experiment).order_by("-pk")


def running_experiments() -> tuple[Experiment, ...]:
    """Return the experiments that run, the oldest first."""
    return tuple(Experiment.objects.filter(state=Experiment.State.RUNNING).order_by("pk"))


def arm_of(experiment: Experiment, *, viewer_id: int) -> str | None:
    """Return the arm that the viewer is in; None for those who are left out."""
    dealt = experiment.shares
    return experiments.arm_of(viewer_id, tenant=current_tenant_id(), experiment=experiment.name, shares=dealt)


def outcomes(exposed: str, *, of: int, arms: Sequence[str], until: datetime) -> list[Arm]:
    """Return what the viewers of each arm did before `until`.

    `exposed` is a statement that tells, of an experiment or a campaign `of` the tenant's, who is in which arm and since
    when: id, viewer_id, arm, exposed_at.
    """
    asked: dict[str, Any] = {"of": of, "until": until, "before": BEFORE, "long": LONG_VIEW_MS}
    found: dict[str, list[Values]] = {name: [_numbers([])] for name in arms}
    with connection.cursor() as cursor:
        cursor.execute(OUTCOMES.replace("__EXPOSED__", exposed), asked | {"tenant": current_tenant_id()})
        while rows := cursor.fetchmany(AT_ONCE):
            for name, numbers in found.items():
                numbers.append(_numbers([row[1:] for row in rows if row[0] == name]))
    return [_arm(name, np.concatenate(numbers)) for name, numbers in found.items()]


def _numbers(rows: list[tuple[Any, ...]]) -> Values:
    return np.array(rows, np.float64).reshape(len(rows), 2 * len(PER_VIEWER))


def _arm(name: str, numbers: Values) -> Arm:
    columns = dict(zip(PER_VIEWER, numbers.T[: len(PER_VIEWER)], strict=True))
    before = dict(zip(PER_VIEWER, numbers.T[len(PER_VIEWER) :], strict=True))
    return Arm(name, columns, before)


def figures(experiment: Experiment, *, at: datetime) -> dict[str, Any]:
    """Return what the experiment shows, until now or until it ended."""
    until = min(at, experiment.ended_at or at)
    told = outcomes(EXPOSED, of=experiment.pk, arms=list(experiment.shares), until=until)
    return compared(told, experiment.shares)


def compared(told: list[Arm], shares: Mapping[str, float]) -> dict[str, Any]:
    """Return viewers and means per arm, the differences from the first, and whether they were dealt by their shares."""
    counts = [len(arm) for arm in told]
    fair = experiments.sample_ratio(counts, list(shares.values()))
    return {
        "viewers": dict(zip(shares, counts, strict=True)),
        "sample_ratio_p": fair,
        "dealt_fairly": fair >= experiments.FAIR_FROM,
        "means": {arm.name: _means(arm) for arm in told},
        "differences": {arm.name: _differences(arm, told) for arm in told[1:]},
    }


def _means(arm: Arm) -> dict[str, float]:
    return {name: float(values.mean()) if len(values) else 0.0 for name, values in arm.outcome.items()}


def _differences(arm: Arm, told: list[Arm]) -> dict[str, dict[str, float] | None]:
    """Return by how much the arm is above the control in each metric, with what was foreseeable taken away."""
    found: dict[str, dict[str, float] | None] = {}
    for name in arm.outcome:
        both = [told[0], arm]
        outcome = np.concatenate([of.outcome[name] for of in both])
        left = experiments.adjusted(outcome, np.concatenate([of.before[name] for of in both]))
        by = experiments.difference(left[len(told[0]) :], left[: len(told[0])])
        found[name] = {"mean": by.mean, "low": by.low, "high": by.high, "p": by.p} if by else None
    return found
