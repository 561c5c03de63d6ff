"""Who publishes, and who follows them."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned

HANDLE = r"^[a-z0-9][a-z0-9_-]{1,39}$"


class Creator(TenantOwned):
    """Somebody who publishes under a handle."""

    member = TenantForeignKey(Member, null=True, blank=True, help_text="Who runs it; none for an imported creator.")
    handle = models.CharField(max_length=40, validators=[RegexValidator(HANDLE)])
    name = models.CharField(max_length=100)
    bio = models.TextField(blank=True, max_length=2_000)
    links = models.JSONField(default=list, blank=True, help_text="A list of addresses.")
    verified_at = models.DateTimeField(null=True, blank=True)
    followers = models.PositiveIntegerField(default=0, editable=False, help_text="Equals the count of follows.")
    external_id = models.BigIntegerField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "handle"], name="a_handle_names_one_creator"),
            models.UniqueConstraint(fields=["tenant", "member"], name="a_member_is_one_creator"),
            models.UniqueConstraint(fields=["tenant", "external_id"], name="an_imported_creator_is_one_creator"),
            models.CheckConstraint(condition=Q(handle__regex=HANDLE), name="a_handle_is_plain"),
        ]

    def __str__(self) -> str:
        return self.name


class HiddenCreator(TenantOwned):
    """A viewer wants to see nothing of a creator in their feed."""

    viewer = TenantForeignKey(Member, on_delete=models.CASCADE)
    creator = TenantForeignKey(Creator, on_delete=models.CASCADE)
    hidden_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "viewer", "creator"], name="a_viewer_hides_a_creator_once")
        ]

    def __str__(self) -> str:
        return f"{self.viewer_id} hides {self.creator_id}"


class Follow(TenantOwned):
    """A viewer wants to see more of a creator."""

    viewer = TenantForeignKey(Member, on_delete=models.CASCADE)
    creator = TenantForeignKey(Creator, on_delete=models.CASCADE)
    followed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "viewer", "creator"], name="a_viewer_follows_a_creator_once")
        ]
        indexes = [
            models.Index(fields=["tenant", "creator", "-followed_at"], name="follow_newest"),
            models.Index(fields=["tenant", "followed_at"], name="follow_when"),
        ]

    def __str__(self) -> str:
        return f"{self.viewer_id} follows {self.creator_id}"
