"""Who may watch what is not free."""

from django.db import models
from django.db.models import F, Q

from catalog.models.items import Item
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class Access(TenantOwned):
    """A viewer may watch an item that is not free: since when, until when, and where it came from."""

    viewer = TenantForeignKey(Member, on_delete=models.CASCADE)
    item = TenantForeignKey(Item, on_delete=models.CASCADE)
    source = models.CharField(max_length=60, help_text="What granted it, e.g. order:12")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "viewer", "item", "source"], name="a_source_grants_an_item_once"),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")), name="access_ends_after_it_starts"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "item"], name="access_item")]

    def __str__(self) -> str:
        return f"{self.viewer_id} may watch {self.item_id}"
