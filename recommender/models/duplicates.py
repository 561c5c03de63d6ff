"""Which items say nearly the same."""

from django.db import models
from django.db.models import F, Q

from catalog.models import Item
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class AlikePair(TenantOwned):
    """Two items whose titles and tags are nearly the same, whoever made them; all pairs are found anew at once."""

    item = TenantForeignKey(Item, on_delete=models.CASCADE, help_text="The one that was there first.")
    other = TenantForeignKey(Item, on_delete=models.CASCADE)
    cosine = models.FloatField(help_text="Of their words and tags; 1 is the same.")
    found_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "item", "other"], name="alike_items_are_told_once"),
            models.CheckConstraint(condition=Q(item__lt=F("other")), name="the_first_of_alike_items_is_older"),
            models.CheckConstraint(condition=Q(cosine__gt=0, cosine__lte=1), name="alike_by_a_cosine"),
        ]
        indexes = [
            models.Index(fields=["tenant", "-cosine", "-id"], name="alike_most"),
            models.Index(fields=["tenant", "other"], name="alike_other"),
        ]

    def __str__(self) -> str:
        return f"{self.item_id} ≈ {self.other_id}"
