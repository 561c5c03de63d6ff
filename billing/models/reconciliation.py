"""What providers report, beside what we have booked."""

from django.db import models
from django.db.models import Q

from billing.models.disputes import Dispute
from billing.models.payouts import Payout
from billing.models.sales import Payment, Refund
from billing.models.splits import Split, SplitReturn
from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class ReconciliationRun(TenantOwned):
    """A provider's report about a span of time, compared with our rows."""

    class Source(models.TextChoices):
        FETCHED = "fetched"
        UPLOADED = "uploaded"

    provider = models.CharField(max_length=20)
    since = models.DateTimeField()
    until = models.DateTimeField()
    source = models.CharField(max_length=10, choices=Source.choices)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the report.")
    by = TenantForeignKey(Member, null=True, blank=True, help_text="Who has uploaded it.")
    rows = models.PositiveIntegerField(help_text="How many the report has.")
    matched = models.PositiveIntegerField(help_text="How many of them are as we have booked them.")
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "provider", "since", "until", "digest"], name="a_report_is_compared_once"
            ),
            AppendOnly(name="what_was_compared_stays"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.since:%Y-%m-%d}"


class ReportRow(TenantOwned):
    """One row of a provider's report, and which of our rows it is about."""

    class Kind(models.TextChoices):
        PAYMENT = "payment"
        REFUND = "refund"
        PAYOUT = "payout"
        REVERSAL = "reversal", "a payout that came back"
        FEE = "fee", "kept of a payout"
        DISPUTE = "dispute"
        REINSTATED = "reinstated", "given back after a dispute"
        SPLIT = "split", "given to a creator by the provider"
        SPLIT_BACK = "split_back", "taken back of what the provider gave"
        OTHER = "other"

    run = TenantForeignKey(ReconciliationRun)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    reference = models.CharField(max_length=100, blank=True, help_text="The provider's.")
    key = models.CharField(max_length=100, blank=True, help_text="Ours.")
    amount = models.BigIntegerField(help_text="In minor units.")
    fee = models.BigIntegerField(null=True, blank=True, help_text="What the provider has kept, or given back.")
    currency = models.CharField(max_length=3)
    at = models.DateTimeField()
    payment = TenantForeignKey(Payment, null=True, blank=True)
    refund = TenantForeignKey(Refund, null=True, blank=True)
    payout = TenantForeignKey(Payout, null=True, blank=True)
    dispute = TenantForeignKey(Dispute, null=True, blank=True)
    split = TenantForeignKey(Split, null=True, blank=True)
    split_return = TenantForeignKey(SplitReturn, null=True, blank=True)

    class Meta:
        constraints = [AppendOnly(name="what_was_reported_stays")]
        indexes = [
            models.Index(fields=["tenant", "run"], name="report_row_run"),
            models.Index(fields=["tenant", "payment"], name="report_row_payment"),
            models.Index(fields=["tenant", "refund"], name="report_row_refund"),
            models.Index(
                fields=["tenant", "payout"], condition=models.Q(payout__isnull=False), name="report_row_payout"
            ),
            models.Index(
                fields=["tenant", "dispute"], condition=models.Q(dispute__isnull=False), name="report_row_dispute"
            ),
            models.Index(fields=["tenant", "split"], condition=models.Q(split__isnull=False), name="report_row_split"),
            models.Index(
                fields=["tenant", "split_return"],
                condition=models.Q(split_return__isnull=False),
                name="report_row_split_return",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference or self.key}"


class ReconciliationException(TenantOwned):
    """A difference between a report and our rows: open until somebody explains it, or it has resolved itself."""

    class Reason(models.TextChoices):
        UNKNOWN = "unknown", "reported, but unknown here"
        NOT_BOOKED = "not_booked", "reported, but not booked here"
        MISSING = "missing", "booked here, but not reported"
        TWICE = "twice", "reported twice"
        CURRENCY = "currency", "another currency"
        AMOUNT = "amount", "another amount"
        FEE = "fee", "another fee"

    class State(models.TextChoices):
        OPEN = "open"
        EXPLAINED = "explained"
        RESOLVED = "resolved"

    run = TenantForeignKey(ReconciliationRun)
    row = TenantForeignKey(ReportRow, null=True, blank=True)
    payment = TenantForeignKey(Payment, null=True, blank=True)
    refund = TenantForeignKey(Refund, null=True, blank=True)
    payout = TenantForeignKey(Payout, null=True, blank=True)
    kind = models.CharField(
        max_length=10, choices=ReportRow.Kind.choices, blank=True, default="", db_default="", help_text="Of what."
    )
    dispute = TenantForeignKey(Dispute, null=True, blank=True)
    split = TenantForeignKey(Split, null=True, blank=True)
    split_return = TenantForeignKey(SplitReturn, null=True, blank=True)
    reason = models.CharField(max_length=20, choices=Reason.choices)
    expected = models.BigIntegerField(null=True, blank=True, help_text="What we have booked, in minor units.")
    found = models.BigIntegerField(null=True, blank=True, help_text="What was reported, in minor units.")
    currency = models.CharField(max_length=3)
    opened_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    note = models.CharField(max_length=500, blank=True)
    by = TenantForeignKey(Member, null=True, blank=True, help_text="Whose note it is.")
    changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="open", note="") | ~Q(state="open") & ~Q(note=""),
                name="a_difference_is_closed_with_a_note",
            ),
            AppendOnly(name="a_difference_stays_what_it_is", updatable=("state", "note", "by_id", "changed_at")),
        ]
        indexes = [
            models.Index(fields=["tenant", "state", "-id"], name="exception_newest"),
            models.Index(fields=["tenant", "payment"], name="exception_payment"),
            models.Index(fields=["tenant", "refund"], name="exception_refund"),
            models.Index(
                fields=["tenant", "payout"], condition=models.Q(payout__isnull=False), name="exception_payout"
            ),
            models.Index(
                fields=["tenant", "dispute"], condition=models.Q(dispute__isnull=False), name="exception_dispute"
            ),
            models.Index(fields=["tenant", "split"], condition=models.Q(split__isnull=False), name="exception_split"),
            models.Index(
                fields=["tenant", "split_return"],
                condition=models.Q(split_return__isnull=False),
                name="exception_split_return",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reason} {self.pk}"
