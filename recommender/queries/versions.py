"""What was trained, and what is served to whom."""

from typing import Any

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from kpplatform.jobs.models import Job
from recommender.models import ModelVersion, TrainingRun, VersionChange

KEPT = 3  # artefacts of versions that are or were published
MOST_SEARCHES = 50  # that are looked through for settings
State = ModelVersion.State


def versions() -> QuerySet[ModelVersion]:
    """Return the tenant's versions, the newest first."""
    return ModelVersion.objects.order_by("-pk")


def published_version() -> ModelVersion | None:
    """Return the version that is served, if any."""
    return ModelVersion.objects.filter(state=State.PUBLISHED).first()


def live_versions() -> dict[State, ModelVersion]:
    """Return the published version and the canary, as far as there are any."""
    return {State(of.state): of for of in ModelVersion.objects.filter(state__in=[State.PUBLISHED, State.CANARY])}


def canary_version() -> ModelVersion | None:
    """Return the version that is tried on some of the viewers (`is_tried_on`), if any."""
    return ModelVersion.objects.filter(state=State.CANARY).first()


def newest_version() -> ModelVersion | None:
    """Return what was trained last, published or rejected."""
    return versions().first()


def audited_version() -> ModelVersion | None:
    """Return the newest version of which it is known whom it favours."""
    return versions().filter(metrics__has_key="audit").first()


def retired_versions() -> QuerySet[ModelVersion]:
    """Return what was published once and given up for something newer, the last one first."""
    return ModelVersion.objects.filter(state=State.RETIRED).order_by("-published_at", "-pk")


def changes() -> QuerySet[VersionChange]:
    """Return who changed which version is served, the latest first."""
    return VersionChange.objects.select_related("by", "version").order_by("-pk")


def folders_in_use() -> set[str]:
    """Return the folders of what is served, of the last few versions before it and of what was withdrawn last."""
    # What is served is kept whatever a worker's clock has said.
    kept = [
        ModelVersion.objects.filter(state__in=[State.PUBLISHED, State.CANARY]),
        retired_versions()[: KEPT - 1],
        ModelVersion.objects.filter(state=State.WITHDRAWN).order_by("-published_at", "-pk")[:1],
    ]
    return {version.folder for versions in kept for version in versions}


def training_runs() -> QuerySet[TrainingRun]:
    """Return the tenant's trainings, the newest first."""
    return with_lost(TrainingRun.objects.order_by("-pk"))


def with_lost(runs: QuerySet[TrainingRun]) -> QuerySet[TrainingRun]:
    """Return the trainings, each with `is_lost`: it has not ended, and no worker is at it."""
    jobs = Job.objects.db_manager(runs.db).filter(tenant_id=OuterRef("tenant_id"), pk=OuterRef("job"))
    held = Exists(jobs.filter(state=Job.State.RUNNING, lease_until__gt=Now()))
    lost = Q(state=TrainingRun.State.RUNNING, job__isnull=False) & ~Q(held)
    return runs.annotate(is_lost=ExpressionWrapper(lost, BooleanField()))


def search_goes_on() -> bool:
    """Tell whether a search of settings that was asked of a worker waits or runs."""
    unfinished = Job.objects.filter(state__in=[Job.State.WAITING, Job.State.RUNNING])
    return TrainingRun.objects.filter(kind=TrainingRun.Kind.SEARCH, job__in=unfinished.values("pk")).exists()


def found_settings() -> dict[str, dict[str, Any]]:
    """Return the settings that the tenant's latest searches have found, by the model's name."""
    done = TrainingRun.objects.filter(kind=TrainingRun.Kind.SEARCH, state=TrainingRun.State.DONE)
    found: dict[str, dict[str, Any]] = {}
    for run in done.exclude(settings={}).order_by("-pk")[:MOST_SEARCHES]:
        for name, settings in run.settings.items():
            found.setdefault(name, settings)
    return found
