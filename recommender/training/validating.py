"""Judging models on what a tenant's viewers did, by any protocol: a row like that of a training, with every figure."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.places import tenant_folder
from kpplatform.tenancy.scope import scope
from recommender.ml.evaluation import K_FOLD, Question, Row, measure_on
from recommender.ml.models import MODELS, UnknownModel
from recommender.models import TrainingRun
from recommender.training.reading import fingerprint, read
from recommender.training.runs import RunLog, run_log

Kind, Stage = TrainingRun.Kind, TrainingRun.Stage
COSTS = ("fit_s", "rank_s")


def evaluate(
    *,
    tenant: Tenant,
    names: Sequence[str],
    question: Question,
    at: datetime,
    told: Callable[[Row], object] | None = None,
) -> TrainingRun:
    """Judge models of these names on what was done before `at`, as the question asks; keep every figure in the row.

    An evaluation whose worker died goes on with the models that its row does not have yet. Raises BrokenData or
    UnknownModel.
    """
    if strange := sorted(set(names) - set(MODELS)):
        raise UnknownModel("model_unknown", f"{', '.join(strange)}: none of {', '.join(MODELS)}.")
    with run_log(tenant=tenant, kind=Kind.EVALUATION, at=at) as run:
        run.enter(Stage.READING, until=0.05)
        with scope(tenant):
            data, _ = read(until=run.run.data_until, in_full=False)
            asked = replace(question, folder=tenant_folder("training"))
        viewers, items = data.shape
        run.tell(device=asked.device, data=fingerprint(data), events=len(data), viewers=viewers, items=items)
        run.tell(plan=_plan(names, asked))
        for number, name in enumerate(names, start=1):
            if name in run.run.metrics.get("models", {}):
                continue
            run.enter(Stage.JUDGING, until=0.05 + 0.95 * number / len(names), model=name)
            row = measure_on(
                data,
                replace(asked, model=name),
                fitting=lambda *_: run.goes_on(),
                ranking=lambda _: run.goes_on(),
                folding=run.progress,
            ).row
            _keep(run, row, by=f"ndcg@{asked.k}")
            if told:
                told(row)
        run.tell(outcome="judged")
    return run.run


def _plan(names: Sequence[str], asked: Question) -> dict[str, Any]:
    """Return what is asked of the models, as the row keeps it."""
    folds = {"folds": asked.folds, "by": asked.by} if asked.protocol == K_FOLD else {}
    told = {"settings": dict(asked.settings)} if asked.settings else {}
    return {"protocol": asked.protocol, **folds, "k": asked.k, "seed": asked.seed, "models": [*names], **told}


def _keep(run: RunLog, row: Row, *, by: str) -> None:
    """Put a model's means, intervals and spread between folds beside those of the others."""
    name, metrics = row["model"], run.run.metrics
    figures = {key: value for key, value in row.items() if isinstance(value, float) and key not in {*COSTS, "peak_mb"}}
    metrics.setdefault("models", {})[name] = figures
    for part in ("intervals", "spread"):
        if part in row:
            metrics.setdefault(part, {})[name] = row[part]
    metrics["best"] = max(metrics["models"], key=lambda of: metrics["models"][of][by])
    run.run.costs[name] = {key: row[key] for key in COSTS}
    run.write()
