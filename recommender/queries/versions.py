"""What was trained."""

from django.db.models import QuerySet

from recommender.models import ModelVersion


def versions() -> QuerySet[ModelVersion]:
    """Return the tenant's versions, the newest first."""
    return ModelVersion.objects.order_by("-pk")


def published_version() -> ModelVersion | None:
    """Return the version that is served, if any."""
    return ModelVersion.objects.filter(state=ModelVersion.State.PUBLISHED).first()
