"""Tax that is handed over to the tax office: drafted, paid outside, confirmed with the number of the receipt."""

from django.db import models
from django.db.models import Q

from billing.models.ledger import Journal
from billing.money import Money
from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class Remittance(TenantOwned):
    """What is owed to the tax office until the end of a month, and that it was paid, by whom it was said and when."""

    class Tax(models.TextChoices):
        SALES = "tax", "tax on sales"
        WITHHELD = "withholding", "tax withheld from creators"

    class State(models.TextChoices):
        DRAFT = "draft", "to be paid"
        PAID = "paid"
        WITHDRAWN = "withdrawn"

    of = models.CharField(max_length=20, choices=Tax.choices)
    month = models.DateField(help_text="Until the end of which month it was owed: its first day.")
    amount = models.BigIntegerField(help_text="In minor units.")
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    asked_key = models.CharField(max_length=200, help_text="Theirs: asked again, it is this one.")
    reference = models.CharField(max_length=100, blank=True, help_text="The number of the tax office's receipt.")
    reason = models.CharField(max_length=200, blank=True, help_text="Why it was withdrawn.")
    drafted_by = TenantForeignKey(Member)
    drafted_at = models.DateTimeField()
    decided_by = TenantForeignKey(Member, null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    journal = TenantForeignKey(Journal, null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "drafted_by", "asked_key"], name="a_remittance_is_asked_once"),
            models.UniqueConstraint(
                fields=["tenant", "of", "reference"], condition=~Q(reference=""), name="a_receipt_is_of_one_remittance"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="a_remittance_hands_something_over"),
            models.CheckConstraint(
                condition=Q(state="draft", journal=None, decided_by=None, decided_at=None, reference="")
                | (Q(state="paid", journal__isnull=False, decided_by__isnull=False) & ~Q(reference=""))
                | Q(state="withdrawn", journal=None, decided_by__isnull=False, reference=""),
                name="what_was_handed_over_is_booked_and_has_a_receipt",
            ),
            AppendOnly(
                name="a_remittance_is_only_decided",
                updatable=("state", "reference", "reason", "decided_by_id", "decided_at", "journal_id"),
            ),
        ]
        indexes = [models.Index(fields=["tenant", "-id"], name="remittance_newest")]

    def __str__(self) -> str:
        return f"{self.of} {self.month:%Y-%m}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)
