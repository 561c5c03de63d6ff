"""What items cost, from when until when."""

from django.db import models
from django.db.models import Q

from billing.money import Money
from catalog.models import Item
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class Price(TenantOwned):
    """What an item costs, tax included, from then until then."""

    item = TenantForeignKey(Item)
    amount = models.BigIntegerField(help_text="In minor units.")
    currency = models.CharField(max_length=3)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "item", "currency"], condition=Q(ends_at=None), name="an_item_has_one_price_now"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="a_price_is_more_than_nothing"),
        ]
        indexes = [models.Index(fields=["tenant", "item", "-starts_at"], name="price_newest")]

    def __str__(self) -> str:
        return str(self.money)

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)
