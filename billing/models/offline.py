"""Payments by bank: what the buyer says, and what staff find."""

from django.db import models
from django.db.models import Q

from billing.models.sales import Payment
from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class PaymentProof(TenantOwned):
    """A buyer says that the money was sent: the bank's reference, and perhaps a picture of it."""

    class State(models.TextChoices):
        WAITING = "waiting"
        APPROVED = "approved"
        REJECTED = "rejected"

    payment = TenantForeignKey(Payment)
    sent_by = TenantForeignKey(Member)
    reference = models.CharField(max_length=100, help_text="The bank's; it pays for one order.")
    content = models.BinaryField(blank=True, help_text="The picture or PDF, if there is one.")
    content_type = models.CharField(max_length=40, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    sent_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "payment"], condition=Q(state="waiting"), name="a_payment_has_one_proof_at_a_time"
            ),
            models.UniqueConstraint(
                fields=["tenant", "reference"], condition=~Q(state="rejected"), name="a_bank_reference_pays_once"
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", decided_at=None) | (~Q(state="waiting") & Q(decided_at__isnull=False)),
                name="a_decided_proof_says_since_when",
            ),
            AppendOnly(name="what_a_buyer_has_shown_stays", updatable=("state", "decided_at")),
        ]
        indexes = [models.Index(fields=["tenant", "state", "-id"], name="payment_proof_newest")]

    def __str__(self) -> str:
        return self.reference


class ProofDecision(TenantOwned):
    """What one of the staff says about a proof. Above the tenant's limit it takes two of them."""

    proof = TenantForeignKey(PaymentProof, related_name="decisions")
    by = TenantForeignKey(Member)
    is_approved = models.BooleanField()
    why = models.CharField(max_length=300, blank=True)
    decided_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "proof", "by"], name="a_member_decides_once_on_a_proof"),
            models.CheckConstraint(condition=Q(is_approved=True) | ~Q(why=""), name="a_no_says_why"),
            AppendOnly(name="a_decision_on_a_proof_stays"),
        ]

    def __str__(self) -> str:
        return f"{self.proof_id}: {'yes' if self.is_approved else 'no'}"
