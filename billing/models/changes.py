"""What became of what, by whom and why."""

from django.db import models

from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class StateChange(TenantOwned):
    """Something went from one state to another: who did it (none: time), when and why. Never changed."""

    class Of(models.TextChoices):
        CONSULTATION = "consultation"
        DISPUTE = "dispute"
        SPLIT = "split"
        SPLIT_RETURN = "split_return"
        INVOICE_REQUEST = "invoice_request"
        INSTALMENT_PLAN = "instalment_plan"
        PRICE_EXPERIMENT = "price_experiment"

    of = models.CharField(max_length=20, choices=Of.choices)
    row = models.BigIntegerField()
    before = models.CharField(max_length=20)
    after = models.CharField(max_length=20)
    by = TenantForeignKey(Member, null=True, blank=True)
    why = models.CharField(max_length=200, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [AppendOnly(name="a_change_of_state_is_never_changed")]
        indexes = [models.Index(fields=["tenant", "of", "row", "id"], name="state_change_row")]

    def __str__(self) -> str:
        return f"{self.of} {self.row}: {self.before} → {self.after}"
