"""What providers said, word for word."""

from django.db import models

from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.owned import TenantOwned


class WebhookEvent(TenantOwned):
    """A provider's signed message, stored before anything is done about it. Each ends in one of three ways."""

    class State(models.TextChoices):
        RECEIVED = "received"
        APPLIED = "applied"
        DUPLICATE = "duplicate", "told us nothing new"
        QUARANTINED = "quarantined"

    provider = models.CharField(max_length=20)
    event_id = models.CharField(max_length=100, help_text="The provider's own.")
    body = models.BinaryField(help_text="As it came.")
    deliveries = models.PositiveIntegerField(default=1)
    received_at = models.DateTimeField()
    state = models.CharField(max_length=20, choices=State.choices, default=State.RECEIVED)
    reason = models.CharField(max_length=200, blank=True, help_text="Why it was put into quarantine.")
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "provider", "event_id"], name="an_event_is_stored_once"),
            AppendOnly(
                name="what_a_provider_said_is_never_changed", updatable=("deliveries", "state", "reason", "done_at")
            ),
        ]
        indexes = [models.Index(fields=["tenant", "state", "-id"], name="webhook_event_newest")]

    def __str__(self) -> str:
        return f"{self.provider} {self.event_id}"
