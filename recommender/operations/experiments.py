"""What is done with experiments: plan, begin, expose, judge, end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction

from kpplatform.errors import Conflict, Invalid
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant_id
from recommender import queries
from recommender.models import Experiment, ExperimentReading
from recommender.operations.feed_settings import check_feed_settings
from recommender.queries.experiments import GUARDRAILS

State = Experiment.State
FEWEST_ARMS, MOST_ARMS = 2, 8


class BadArms(Invalid):
    code = "bad_arms"


class NameTaken(Conflict):
    code = "name_taken"


class NotNow(Conflict):
    code = "experiment_state"


@dataclass(frozen=True)
class Arm:
    """What an arm is called, its share of all viewers, and what differs there."""

    name: str
    share: float
    settings: dict[str, Any]


@transaction.atomic
def plan_experiment(
    *, name: str, hypothesis: str, arms: Sequence[Arm], metric: Experiment.Metric, at: datetime
) -> Experiment:
    """Write an experiment down without beginning it. Raises BadArms, BadFeedSettings and NameTaken."""
    _check(arms)
    plain = [{"name": arm.name, "share": arm.share, "settings": arm.settings} for arm in arms]
    try:
        with transaction.atomic():
            return Experiment.objects.create(name=name, hypothesis=hypothesis, arms=plain, metric=metric, created_at=at)
    except IntegrityError as error:
        raise NameTaken(f"There is an experiment {name} already.") from error


@transaction.atomic
def begin_experiment(*, experiment: Experiment, at: datetime) -> Experiment:
    """Deal viewers from now on. Raises NotNow."""
    held = _held(experiment)
    if held.state != State.DRAFT:
        raise NotNow("Only an experiment that has not begun can begin.")
    for other in queries.running_experiments():
        if both := held.changes & other.changes:
            raise NotNow(f"{other.name} runs and changes {', '.join(sorted(both))} too.")
    held.state, held.started_at = State.RUNNING, at
    held.save()
    return held


@transaction.atomic
def end_experiment(*, experiment: Experiment, why: str, killed: bool, at: datetime) -> Experiment:
    """Serve everybody as before from the next page on, and keep what was found. Raises NotNow."""
    held = _held(experiment)
    if held.state != State.RUNNING:
        raise NotNow("Only an experiment that runs can end.")
    read_experiment(experiment=held, at=at)
    held.state, held.ended_at, held.ended_why = State.KILLED if killed else State.STOPPED, at, why
    held.save()
    return held


@transaction.atomic
def read_experiment(*, experiment: Experiment, at: datetime) -> ExperimentReading:
    """Write down what the experiment shows now."""
    experiment.figures = queries.figures(experiment, at=at)
    experiment.save(update_fields=["figures"])
    return ExperimentReading.objects.create(experiment=experiment, figures=experiment.figures, read_at=at)


@transaction.atomic
def judge_experiments(*, at: datetime) -> None:
    """Read every running experiment, and kill those in which an arm surely makes a guardrail worse."""
    for experiment in queries.running_experiments():
        reading = read_experiment(experiment=experiment, at=at)
        if harm := _harm(reading.figures):
            end_experiment(experiment=experiment, why=harm, killed=True, at=at)


def expose(*, viewer: Member, dealt: Sequence[tuple[Experiment, str]], at: datetime) -> None:
    """Note that the viewer is being served by these arms, if that is the first time."""
    if not dealt:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO recommender_exposure (tenant_id, experiment_id, viewer_id, arm, exposed_at)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [(current_tenant_id(), experiment.pk, viewer.pk, arm, at) for experiment, arm in dealt],
        )


def _held(experiment: Experiment) -> Experiment:
    return Experiment.objects.select_for_update().get(pk=experiment.pk)


def _harm(figures: dict[str, Any]) -> str:
    """Return which arm surely makes what worse; nothing while the arms were not dealt fairly."""
    if not figures["dealt_fairly"]:
        return ""
    for arm, differences in figures["differences"].items():
        for name in GUARDRAILS:
            by = differences[name]
            if by and by["low"] > 0:
                return f"{arm}: {name} +{by['mean']:.3g} per viewer"
    return ""


def _check(arms: Sequence[Arm]) -> None:
    if not FEWEST_ARMS <= len(arms) <= MOST_ARMS:
        raise BadArms(f"An experiment has {FEWEST_ARMS} to {MOST_ARMS} arms.")
    if len({arm.name for arm in arms}) < len(arms):
        raise BadArms("Every arm has a name of its own.")
    if any(arm.share <= 0 for arm in arms) or sum(arm.share for arm in arms) > 1 + 1e-9:
        raise BadArms("Shares are above 0 and sum to at most 1.")
    if arms[0].settings:
        raise BadArms("The first arm is the control: its feed is as it is.")
    for arm in arms:
        check_feed_settings(arm.settings)
