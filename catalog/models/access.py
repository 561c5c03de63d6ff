"""Who may watch what is not free."""

from django.db import models
from django.db.models import F, Q

from catalog.models.items import Item
from creators.models import Creator
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


class Pass(TenantOwned):
    """A viewer may watch all courses of a creator, or of the whole tenant, those made later too."""

    viewer = TenantForeignKey(Member, on_delete=models.CASCADE)
    creator = TenantForeignKey(Creator, null=True, blank=True, help_text="None: all creators' courses.")
    source = models.CharField(max_length=60, help_text="What granted it, e.g. order:12:34")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "source"], name="a_source_grants_one_pass"),
            models.CheckConstraint(condition=Q(ends_at__gte=F("starts_at")), name="a_pass_ends_after_it_starts"),
        ]
        indexes = [models.Index(fields=["tenant", "viewer", "-ends_at"], name="pass_of_viewer")]

    def __str__(self) -> str:
        return f"{self.viewer_id} may watch all courses"
