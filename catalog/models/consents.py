"""What viewers agree to, in which words, and since when."""

from django.db import models
from django.db.models import F, Q

from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class Purpose(models.TextChoices):
    """What something of a person is kept for."""

    PERSONAL_EVENTS = "personal_events"
    TARGETED_ADS = "targeted_ads"


class ConsentTerms(TenantOwned):
    """In which words a tenant asks for consent, and whether it asks first. The newest version holds.

    Without a row the house's hold, version 0: `catalog.queries.consents`. Of one's own events consent is assumed until
    it is withdrawn, of ads by them it is asked for first.
    """

    purpose = models.CharField(max_length=30, choices=Purpose.choices)
    version = models.PositiveIntegerField()
    text_zh = models.TextField(max_length=5_000)
    text_en = models.TextField(max_length=5_000)
    is_asked_first = models.BooleanField(help_text="Without a consent nothing is stored as somebody's.")
    counts_from = models.PositiveIntegerField(help_text="Consents to this version and to later ones hold.")
    by = TenantForeignKey(Member, help_text="Who published it.")
    published_at = models.DateTimeField()

    class Meta:
        constraints = [
            AppendOnly(name="consent_terms_are_never_changed"),
            models.UniqueConstraint(fields=["tenant", "purpose", "version"], name="consent_terms_have_one_version"),
            models.CheckConstraint(condition=Q(counts_from__lte=F("version")), name="new_consents_count"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.version}"


class Consent(TenantOwned):
    """A viewer agreed to a purpose in the words of a version, or withdrew that. The newest row of a purpose holds."""

    viewer = TenantForeignKey(Member)
    purpose = models.CharField(max_length=30, choices=Purpose.choices)
    version = models.PositiveIntegerField(help_text="Of the terms that were shown.")
    is_given = models.BooleanField(help_text="Given, or else withdrawn.")
    said_at = models.DateTimeField()

    class Meta:
        constraints = [AppendOnly(name="a_consent_is_never_changed")]
        indexes = [models.Index(fields=["tenant", "viewer", "purpose", "-id"], name="consent_newest")]

    def __str__(self) -> str:
        return f"{self.viewer_id} {self.purpose}"
