"""How memberships and instalments are collected."""

from django.db import models
from django.db.models import Q

from billing.models.instalments import InstalmentPlan
from billing.models.memberships import PaymentMethod, Subscription
from billing.models.sales import Payment
from billing.money import Money
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class Charge(TenantOwned):
    """One attempt to collect an order without asking the member. Its key is stored before the provider is called.

    While it is new its outcome is not known, and no other attempt is made.
    """

    class State(models.TextChoices):
        NEW = "new", "the provider may not know of it"
        PAID = "paid"
        DECLINED = "declined", "may go better another day"
        REFUSED = "refused", "the method was declined for good"
        STOPPED = "stopped", "the provider was never asked"

    payment = TenantForeignKey(Payment, related_name="charges")
    subscription = TenantForeignKey(Subscription, null=True, blank=True, related_name="charges")
    plan = TenantForeignKey(InstalmentPlan, null=True, blank=True, related_name="charges")
    method = TenantForeignKey(PaymentMethod)
    key = models.CharField(max_length=100, help_text="Ours; the provider does nothing twice under it.")
    reference = models.CharField(max_length=100, blank=True, help_text="The provider's.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.NEW)
    amount = models.BigIntegerField(help_text="In minor units.")
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=200, blank=True, help_text="Why it was declined.")
    due_at = models.DateTimeField(help_text="When the provider is asked next.")
    made_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(subscription__isnull=False, plan=None) | Q(subscription=None, plan__isnull=False),
                name="a_charge_is_for_a_period_or_a_part",
            ),
            models.UniqueConstraint(fields=["tenant", "key"], name="a_charge_is_asked_for_once"),
            models.UniqueConstraint(
                fields=["tenant", "payment"], condition=Q(state="new"), name="one_charge_at_a_time_is_open"
            ),
            models.UniqueConstraint(
                fields=["tenant", "payment"], condition=Q(state="paid"), name="a_payment_is_charged_once"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "due_at", "id"], condition=Q(state="new"), name="charge_due"),
            models.Index(fields=["tenant", "subscription", "-id"], name="charge_newest"),
            models.Index(
                fields=["tenant", "plan", "-id"], condition=Q(plan__isnull=False), name="charge_of_plan_newest"
            ),
            models.Index(fields=["tenant", "reference"], condition=~Q(reference=""), name="charge_reference"),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)
