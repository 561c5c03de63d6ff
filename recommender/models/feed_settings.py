"""How a tenant wants its feed put together, and who changed that."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned
from recommender.ml.feed_settings import DEFAULTS, METHODS, SHARES, Settings


def check_weights(weights: Any) -> None:
    """Let through an object of models' names and weights from 0 to 1."""
    if not isinstance(weights, Mapping):
        raise ValidationError("This is an object: models' names and their weights.", code="bad_weights")
    for name, weight in weights.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= 1:
            raise ValidationError(f"The weight of {name} is no number from 0 to 1.", code="bad_weights")


def check_share(share: float) -> None:
    """Let through numbers from 0 to 1."""
    if not 0 <= share <= 1:
        raise ValidationError("This is no number from 0 to 1.", code="not_a_share")


def _share(default: float, told: str) -> "models.FloatField[float, float]":
    return models.FloatField(default=default, validators=[check_share], help_text=told)


class FeedSettings(TenantOwned):
    """How the tenant's feed is put together; without a row as `recommender.ml.feed_settings` says."""

    personal = _share(DEFAULTS.personal, "By the published models.")
    similar = _share(DEFAULTS.similar, "Like what was liked last.")
    cold = _share(DEFAULTS.cold, "By text and tags, of what the models do not know yet.")
    interests = _share(DEFAULTS.interests, "Popular within the chosen topics.")
    followed = _share(DEFAULTS.followed, "Of followed creators.")
    social = _share(DEFAULTS.social, "Of creators whom those follow who follow the same ones.")
    popular = _share(DEFAULTS.popular, "Watched by most.")
    fresh = _share(DEFAULTS.fresh, "Trials of new items.")
    explored = _share(DEFAULTS.explored, "Any item at all.")
    model_weights = models.JSONField(
        default=dict, blank=True, validators=[check_weights], help_text="Of models, by name, within the personal share."
    )
    per_creator = models.PositiveSmallIntegerField(
        default=DEFAULTS.per_creator,
        validators=[MinValueValidator(1), MaxValueValidator(50)],
        help_text="Items of one creator on a page.",
    )
    per_topic = _share(DEFAULTS.per_topic, "Of a page, for one topic.")
    new_topics = models.PositiveSmallIntegerField(
        default=DEFAULTS.new_topics,
        validators=[MaxValueValidator(20)],
        help_text="Topics on a page that the viewer has not met.",
    )
    method = models.CharField(
        max_length=10,
        choices=[(method, method) for method in METHODS],
        default=DEFAULTS.method,
        help_text="How a page is made diverse.",
    )
    diversity = _share(DEFAULTS.diversity, "How much being unlike the rest counts.")
    small_floor = _share(DEFAULTS.small_floor, "Of all places, for small creators.")
    small_followers = models.PositiveIntegerField(
        default=DEFAULTS.small_followers, help_text="A creator with fewer followers is small."
    )
    alike = models.FloatField(
        default=DEFAULTS.alike,
        validators=[check_share, MinValueValidator(0.5)],
        help_text="Cosine of texts from which two items are the same.",
    )
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "feed settings"
        constraints = [models.UniqueConstraint(fields=["tenant"], name="a_tenant_has_one_feed")]

    def __str__(self) -> str:
        return f"{self.changed_at:%Y-%m-%d %H:%M}"

    def clean(self) -> None:
        """Refuse a feed without any source. Raises ValidationError."""
        if not any(getattr(self, source) for source in SHARES):
            raise ValidationError("At least one source has a share.", code="no_source")

    @property
    def plain(self) -> Settings:
        """Return the same as plain values."""
        return Settings(**self.as_sent())

    def as_sent(self) -> dict[str, Any]:
        """Return what can be set, by name."""
        return {field.name: getattr(self, field.name) for field in fields(Settings)}


class FeedSettingsChange(TenantOwned):
    """Somebody changed how the feed is put together: what from, what to, why."""

    by = TenantForeignKey(Member)
    before = models.JSONField()
    after = models.JSONField()
    why = models.CharField(max_length=200, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [AppendOnly(name="a_change_of_the_feed_is_never_changed")]
        indexes = [models.Index(fields=["tenant", "-changed_at"], name="feed_change_newest")]

    def __str__(self) -> str:
        return ", ".join(f"{name}: {self.before[name]} → {self.after[name]}" for name in self.after)
