"""How much each thing that a viewer does says of their taste: a tenant's own mapping from events to a rating."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned
from recommender.ml.signals import WEIGHTS

MOST = 20.0
PRAISES = ("watch", "ratio", "complete", "like", "share", "purchase")
BLAMES = ("skip", "dislike")
WEIGHED = (*PRAISES, *BLAMES)


def _praise(name: str, told: str) -> "models.FloatField[float, float]":
    bounds = [MinValueValidator(0), MaxValueValidator(MOST)]
    return models.FloatField(default=WEIGHTS[name], validators=bounds, help_text=told)


def _blame(name: str, told: str) -> "models.FloatField[float, float]":
    bounds = [MinValueValidator(-MOST), MaxValueValidator(0)]
    return models.FloatField(default=WEIGHTS[name], validators=bounds, help_text=told)


class RatingMapping(TenantOwned):
    """The weights of what viewers do, from a moment on. The newest one holds; a change is another row.

    Without a row the weights are those of `recommender.ml.signals`.
    """

    watch = _praise("watch", "Something was watched at all.")
    ratio = _praise("ratio", "Times the share that was watched.")
    complete = _praise("complete", "It was watched to its end.")
    like = _praise("like", "It was liked or saved.")
    share = _praise("share", "It was shared.")
    purchase = _praise("purchase", "It was bought; told to portraits.")
    skip = _blame("skip", "Less than a tenth of it was watched.")
    dislike = _blame("dislike", "The viewer is not interested.")
    by = TenantForeignKey(Member, help_text="Who changed it.")
    why = models.CharField(max_length=200, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            AppendOnly(name="a_rating_mapping_is_never_changed"),
            models.CheckConstraint(
                condition=Q(**{f"{name}__gte": 0 for name in PRAISES}), name="praise_does_not_count_against"
            ),
            models.CheckConstraint(
                condition=Q(**{f"{name}__lte": 0 for name in BLAMES}), name="blame_does_not_count_for"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.changed_at:%Y-%m-%d %H:%M}"

    def clean(self) -> None:
        """Refuse a mapping by which nothing speaks for an item. Raises ValidationError."""
        if not any(getattr(self, name) for name in PRAISES if name != "purchase"):
            raise ValidationError("Something that viewers do speaks for an item.", code="nothing_counts")

    def as_sent(self) -> dict[str, Any]:
        """Return the weights that can be set, by name."""
        return {name: getattr(self, name) for name in WEIGHED}

    @property
    def weights(self) -> dict[str, float]:
        """Return the weights of all signals; those that cannot be set are the usual ones."""
        return {**WEIGHTS, **self.as_sent()}
