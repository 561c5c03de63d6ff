"""What an Idempotency-Key was used for."""

from django.db import models
from django.db.models.functions import Now

from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class KeyedRequest(TenantOwned):
    """A write that was done under an Idempotency-Key, and what was answered: asked again, it is answered again."""

    member = TenantForeignKey(Member, on_delete=models.CASCADE)
    key = models.CharField(max_length=200)
    digest = models.BinaryField(max_length=32, help_text="Of method, path and body.")
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    asked_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "member", "key"], name="a_key_is_used_once")]
        indexes = [models.Index(fields=["tenant", "asked_at"], name="keyed_request_age")]

    def __str__(self) -> str:
        return self.key
