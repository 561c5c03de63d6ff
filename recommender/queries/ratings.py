"""What each thing that a viewer does counts in this tenant."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from recommender.ml.signals import WEIGHTS
from recommender.models import RatingMapping


@dataclass(frozen=True)
class Ratings:
    """The weights of signals, and the row that says so; None while nobody has changed the usual ones."""

    weights: Mapping[str, float]
    mapping: int | None = None

    def told(self) -> dict[str, Any]:
        """Return the same as a version's recipe keeps it."""
        return {"mapping": self.mapping, "weights": dict(self.weights)}


def ratings() -> Ratings:
    """Return what counts how much now."""
    row = rating_mappings().first()
    return Ratings(row.weights, row.pk) if row else Ratings(WEIGHTS)


def rating_mappings() -> QuerySet[RatingMapping]:
    """Return every mapping that ever held, the one that holds first."""
    return RatingMapping.objects.select_related("by").order_by("-pk")
