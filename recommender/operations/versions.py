"""What trainings do with versions of the model: publish the better, try it on some, write down the worse."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from kpplatform.jobs.models import Job
from kpplatform.jobs.operations import enqueue
from kpplatform.tenancy.places import tenant_folder
from recommender import queries
from recommender.models import ModelVersion
from recommender.operations.served import Word, change, hold_versions
from recommender.serving import artefacts

RETRAIN = "recommender.tasks.retrain"
State = ModelVersion.State


class Overtaken(RuntimeError):
    """Another training was quicker: this one was judged against what no longer stands, or its artefact is gone."""


@dataclass(frozen=True)
class Trained:
    """What a training learned from, when, and which version was in place then."""

    events: int
    data: str  # the fingerprint
    learned_until: datetime | None
    at: datetime
    over: ModelVersion | None
    recipe: dict[str, Any] = field(default_factory=dict)  # how it can be made again


@transaction.atomic
def ask_for_training(*, percent: int | None = None) -> Job | None:
    """Have a worker train the tenant's model; None when that is waiting to be done already.

    With a percentage, what passes is not published but tried on that many of the viewers.
    """
    asked: dict[str, Any] = {} if percent is None else {"percent": percent}
    return enqueue(RETRAIN, queue="training", key=RETRAIN, **asked)


@transaction.atomic
def publish_version(
    *,
    trained: Trained,
    kind: str,
    reason: str,
    metrics: dict[str, Any],
    folder: str,
    sha256: str,
    share: float | None = None,
) -> ModelVersion:
    """Serve this version from now on in place of the one before, or to a share of the viewers. Raises Overtaken."""
    hold_versions()
    if queries.published_version() != trained.over:
        raise Overtaken("Another version was published meanwhile.")
    if not tenant_folder("models", folder).is_dir():
        raise Overtaken("Another training has cleared the artefact away.")
    version = _version(trained, kind=kind, reason=reason, metrics=metrics)
    version.folder, version.sha256 = folder, sha256
    state = State.PUBLISHED if share is None else State.CANARY
    change(version, state, share=share, word=Word(by=None, why=reason, at=trained.at))
    return version


@transaction.atomic
def reject_version(*, trained: Trained, kind: str, reason: str, metrics: dict[str, Any]) -> ModelVersion:
    """Write down what was trained and why it is not served."""
    version = _version(trained, kind=kind, reason=reason, metrics=metrics)
    version.state = State.REJECTED
    version.save()
    return version


@transaction.atomic
def clear_artefacts() -> None:
    """Delete what is neither served nor kept to go back to, and what killed trainings left behind."""
    hold_versions()
    artefacts.prune(tenant_folder("models"), keep=queries.folders_in_use())


def _version(trained: Trained, **fields: Any) -> ModelVersion:
    return ModelVersion(
        events=trained.events,
        data=trained.data,
        learned_until=trained.learned_until,
        recipe=trained.recipe,
        parent=trained.over,
        trained_at=trained.at,
        **fields,
    )
