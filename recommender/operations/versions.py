"""What is done with versions of the model."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from kpplatform.jobs.models import Job
from kpplatform.jobs.operations import enqueue
from kpplatform.tenancy.places import tenant_folder
from kpplatform.tenancy.scope import current_tenant_id
from recommender import queries
from recommender.models import ModelVersion
from recommender.serving import artefacts

RETRAIN = "recommender.tasks.retrain"


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


@transaction.atomic
def ask_for_training() -> Job | None:
    """Have a worker train the tenant's model; None when that is waiting to be done already."""
    return enqueue(RETRAIN, queue="training", key=RETRAIN)


@transaction.atomic
def publish_version(
    *, trained: Trained, kind: str, reason: str, metrics: dict[str, Any], folder: str, sha256: str
) -> ModelVersion:
    """Serve this version from now on, in place of the one that it has beaten. Raises Overtaken."""
    _hold_versions()
    if queries.published_version() != trained.over:
        raise Overtaken("Another version was published meanwhile.")
    if not tenant_folder("models", folder).is_dir():
        raise Overtaken("Another training has cleared the artefact away.")
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


@transaction.atomic
def clear_artefacts() -> None:
    """Delete what is neither served nor kept to go back to, and what killed trainings left behind."""
    _hold_versions()
    artefacts.prune(tenant_folder("models"), keep=queries.folders_in_use())


def _hold_versions() -> None:
    """Let nobody else publish a version of this tenant or delete artefacts before the transaction ends."""
    with connection.cursor() as cursor:
        what = f"recommender.versions:{current_tenant_id()}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [what])


def _version(trained: Trained, **fields: Any) -> ModelVersion:
    return ModelVersion(
        events=trained.events,
        data=trained.data,
        learned_until=trained.learned_until,
        trained_at=trained.at,
        **fields,
    )
