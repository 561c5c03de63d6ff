"""What viewers say of items."""

from django.db import models

from catalog.models.items import Item
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class Reaction(TenantOwned):
    """A viewer likes, saves, shares an item, or does not want to see its like. Once each."""

    class Kind(models.TextChoices):
        LIKE = "like"
        SAVE = "save"
        SHARE = "share"
        NOT_INTERESTED = "not_interested"

    viewer = TenantForeignKey(Member, on_delete=models.CASCADE)
    item = TenantForeignKey(Item, on_delete=models.CASCADE)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    reacted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "viewer", "item", "kind"], name="a_viewer_reacts_once_each")
        ]
        indexes = [
            models.Index(fields=["tenant", "viewer", "-reacted_at"], name="reaction_newest"),
            models.Index(fields=["tenant", "item", "kind"], name="reaction_item"),
            models.Index(fields=["tenant", "reacted_at"], name="reaction_when"),
        ]

    def __str__(self) -> str:
        return f"{self.viewer_id} {self.kind} {self.item_id}"


class Report(TenantOwned):
    """A viewer says that an item should not be there, and why. Once each; for the tenant's staff to look at."""

    class Reason(models.TextChoices):
        SPAM = "spam"
        MISLEADING = "misleading"
        HARMFUL = "harmful"
        STOLEN = "stolen"
        OTHER = "other"

    viewer = TenantForeignKey(Member, on_delete=models.CASCADE)
    item = TenantForeignKey(Item, on_delete=models.CASCADE)
    reason = models.CharField(max_length=20, choices=Reason.choices)
    text = models.TextField(blank=True, max_length=1_000)
    reported_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "viewer", "item"], name="a_viewer_reports_an_item_once")
        ]
        indexes = [models.Index(fields=["tenant", "item", "-reported_at"], name="report_of_item")]

    def __str__(self) -> str:
        return f"{self.item_id}: {self.reason}"


class Comment(TenantOwned):
    """What a viewer wrote under an item, or under another comment."""

    viewer = TenantForeignKey(Member, on_delete=models.CASCADE)
    item = TenantForeignKey(Item, on_delete=models.CASCADE)
    parent = TenantForeignKey("self", null=True, blank=True, on_delete=models.CASCADE)
    body = models.TextField(max_length=2_000)
    written_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "item", "parent", "-written_at", "-id"], name="comment_newest"),
            models.Index(fields=["tenant", "viewer", "-written_at"], name="comment_viewer"),
            models.Index(fields=["tenant", "written_at"], name="comment_when"),
        ]

    def __str__(self) -> str:
        return self.body[:40]
