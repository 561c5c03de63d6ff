"""What is kept from being shown as it was, by which rule; and what its creator says to that."""

from django.db import models
from django.db.models import F, Q

from catalog.models.items import Item
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class Ruling(TenantOwned):
    """An item broke a rule, and is shown less for it, until it is lifted. Its creator is told."""

    class Rule(models.TextChoices):
        SPAM = "spam"
        MISLEADING = "misleading"
        HARMFUL = "harmful"
        STOLEN = "stolen"
        COPY = "copy", "says nearly the same as something older"
        OTHER = "other"

    class Effect(models.TextChoices):
        WITHDRAWN = "withdrawn", "shown to nobody"
        LAST = "last", "last on a page beside what it says the same as"

    item = TenantForeignKey(Item, on_delete=models.CASCADE)
    rule = models.CharField(max_length=20, choices=Rule.choices)
    effect = models.CharField(max_length=20, choices=Effect.choices)
    why = models.TextField(blank=True, max_length=1_000, help_text="In the words of who ruled.")
    by = TenantForeignKey(Member, null=True, blank=True, help_text="None: found by comparing all items.")
    ruled_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True, help_text="When the creator was sent a notice.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "item", "effect"], condition=Q(lifted_at=None), name="an_effect_is_ruled_once"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "item", "-id"], name="ruling_of_item"),
            models.Index(fields=["tenant", "id"], condition=Q(told_at=None), name="ruling_untold"),
        ]

    def __str__(self) -> str:
        return f"{self.item_id}: {self.rule}"


class Appeal(TenantOwned):
    """A creator says why a ruling is wrong; staff answer, once."""

    ruling = TenantForeignKey(Ruling, on_delete=models.CASCADE, related_name="appeals")
    text = models.TextField(max_length=2_000)
    appealed_at = models.DateTimeField()
    is_upheld = models.BooleanField(null=True, blank=True, help_text="Then the ruling was lifted; none: not answered.")
    answer = models.TextField(blank=True, max_length=1_000)
    answered_by = TenantForeignKey(Member, null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True, help_text="When the creator was sent the answer.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "ruling"], name="a_ruling_is_appealed_once"),
            models.CheckConstraint(
                condition=Q(is_upheld=None, answered_at=None, answered_by=None)
                | Q(is_upheld__isnull=False, answered_at__gte=F("appealed_at"), answered_by__isnull=False),
                name="an_answered_appeal_says_by_whom",
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "id"], condition=Q(told_at=None, answered_at__isnull=False), name="appeal_untold"
            )
        ]

    def __str__(self) -> str:
        return f"{self.ruling_id}: {self.text[:40]}"
