"""What is done with versions of the model."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from kpplatform.jobs.models import Job
from kpplatform.jobs.operations import enqueue
from recommender.models import ModelVersion

RETRAIN = "recommender.tasks.retrain"


@dataclass(frozen=True)
class Trained:
    """What a training learned from, and when."""

    events: int
    data: str  # the fingerprint
    learned_until: datetime | None
    at: datetime


@transaction.atomic
def ask_for_training() -> Job | None:
    """Have a worker train the tenant's model; None when that is waiting to be done already."""
    return enqueue(RETRAIN, queue="training", key=RETRAIN)


@transaction.atomic
def publish_version(
    *, trained: Trained, kind: str, reason: str, metrics: dict[str, Any], folder: str, sha256: str
) -> ModelVersion:
    """Serve this version from now on, in place of the one before."""
    State = ModelVersion.State
    ModelVersion.objects.filter(state=State.PUBLISHED).update(state=State.RETIRED)
    version = _version(trained, kind=kind, reason=reason, metrics=metrics, state=State.PUBLISHED)
    version.folder, version.sha256, version.published_at = folder, sha256, trained.at
    version.save()
    return version


@transaction.atomic
def reject_version(*, trained: Trained, kind: str, reason: str, metrics: dict[str, Any]) -> ModelVersion:
    """Write down what was trained and why it is not served."""
    version = _version(trained, kind=kind, reason=reason, metrics=metrics, state=ModelVersion.State.REJECTED)
    version.save()
    return version


def _version(trained: Trained, **fields: Any) -> ModelVersion:
    return ModelVersion(
        events=trained.events,
        data=trained.data,
        learned_until=trained.learned_until,
        trained_at=trained.at,
        **fields,
    )
