"""What was trained."""

from django.db.models import QuerySet

from recommender.models import ModelVersion

KEPT = 3  # artefacts


def versions() -> QuerySet[ModelVersion]:
    """Return the tenant's versions, the newest first."""
    return ModelVersion.objects.order_by("-pk")


def published_version() -> ModelVersion | None:
    """Return the version that is served, if any."""
    return ModelVersion.objects.filter(state=ModelVersion.State.PUBLISHED).first()


def newest_version() -> ModelVersion | None:
    """Return what was trained last, published or rejected."""
    return versions().first()


def folders_in_use() -> set[str]:
    """Return the folders of the published version and of the last few before it, to go back to."""
    State = ModelVersion.State
    kept = versions().filter(state__in=[State.PUBLISHED, State.RETIRED])
    # "published" comes before "retired": what is served is kept, whatever a worker's clock has said.
    return set(kept.order_by("state", "-published_at", "-pk").values_list("folder", flat=True)[:KEPT])
