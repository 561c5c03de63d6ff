"""Checkouts that ran out before anybody paid."""

from django.db import models

from billing.models.sales import Payment
from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class ClosedCheckout(TenantOwned):
    """A checkout of a payment that can be paid no more, for the provider has closed it. Another one took its place."""

    payment = TenantForeignKey(Payment, related_name="closed_checkouts")
    key = models.CharField(max_length=100, help_text="The key that the payment had then.")
    reference = models.CharField(max_length=100, blank=True, help_text="The provider's.")
    closed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "key"], name="a_checkout_is_closed_once"),
            AppendOnly(name="what_was_closed_stays_closed"),
        ]
        indexes = [models.Index(fields=["tenant", "payment"], name="closed_checkout_payment")]

    def __str__(self) -> str:
        return self.key
