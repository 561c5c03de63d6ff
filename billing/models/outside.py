"""What creators earn on other platforms, as their statements tell it."""

from django.db import models
from django.db.models import Q

from billing.models.channels import Channel
from billing.models.ledger import Journal
from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class OutsideStatement(TenantOwned):
    """A file of another platform about one channel: booked as a whole, and booked back when it is withdrawn."""

    channel = TenantForeignKey(Channel)
    digest = models.CharField(max_length=64, help_text="SHA-256 of its rows: told again, it is this one.")
    rows = models.PositiveIntegerField(help_text="How many it has.")
    duplicates = models.PositiveIntegerField(default=0, help_text="How many of them another statement told before.")
    differing = models.PositiveIntegerField(
        default=0, db_default=0, help_text="How many of those are told otherwise here: what was told before counts."
    )
    since = models.DateField(help_text="The day of its earliest row.")
    until = models.DateField(help_text="The day of its latest row.")
    by = TenantForeignKey(Member, help_text="Who has imported it.")
    made_at = models.DateTimeField()
    journal = TenantForeignKey(Journal, null=True, blank=True, help_text="None: it moved nothing.")
    withdrawn_by = TenantForeignKey(Member, null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True, help_text="Why it was withdrawn.")
    withdrawal = TenantForeignKey(Journal, null=True, blank=True, help_text="What books it back.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "channel", "digest"],
                condition=Q(withdrawn_at=None),
                name="the_same_file_is_one_statement",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None, withdrawn_by=None, withdrawal=None, reason="")
                | (Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False) & ~Q(reason="")),
                name="a_statement_is_withdrawn_by_somebody_for_a_reason",
            ),
            AppendOnly(
                name="a_statement_is_only_booked_and_withdrawn",
                updatable=(
                    *("duplicates", "differing", "journal_id"),
                    *("withdrawn_by_id", "withdrawn_at", "reason", "withdrawal_id"),
                ),
            ),
        ]
        indexes = [models.Index(fields=["tenant", "channel", "-id"], name="outside_statement_newest")]

    def __str__(self) -> str:
        return f"{self.channel_id}: {self.since} … {self.until}"


class OutsideIncome(TenantOwned):
    """One row of such a statement. It counts once, by its reference, however many statements tell it."""

    class Kind(models.TextChoices):
        SALE = "sale", "something sold elsewhere"
        MEMBERSHIP = "membership", "a membership elsewhere"
        TIP = "tip", "a tip or gift elsewhere"
        ADS = "ads", "a share of ads elsewhere"
        SPONSOR = "sponsor", "paid by a sponsor"
        BONUS = "bonus", "a bonus of the platform"
        REFUND = "refund", "given back elsewhere"
        OTHER = "other", "other income elsewhere"

    statement = TenantForeignKey(OutsideStatement)
    channel = TenantForeignKey(Channel)
    line = models.PositiveIntegerField(help_text="Its line in the file.")
    day = models.DateField()
    kind = models.CharField(max_length=12, choices=Kind.choices)
    title = models.CharField(max_length=200, blank=True)
    reference = models.CharField(max_length=100, help_text="The platform's name for it.")
    gross = models.BigIntegerField(help_text="What was paid there, in minor units; below zero: given back.")
    fee = models.BigIntegerField(help_text="What the platform has kept of it, in minor units.")
    currency = models.CharField(max_length=3)
    is_counted = models.BooleanField(help_text="Neither told before by another statement, nor withdrawn.")
    duplicate_of = TenantForeignKey("self", null=True, blank=True, help_text="Which row has told it before.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "statement", "line"], name="a_line_is_one_row"),
            models.UniqueConstraint(
                fields=["tenant", "statement", "reference"], name="a_reference_is_one_row_of_a_statement"
            ),
            models.UniqueConstraint(
                fields=["tenant", "channel", "reference"],
                condition=Q(is_counted=True),
                name="a_reference_counts_once_at_a_channel",
            ),
            models.CheckConstraint(
                condition=Q(is_counted=False) | Q(duplicate_of=None), name="what_was_told_before_does_not_count"
            ),
            AppendOnly(name="what_a_statement_tells_stays", updatable=("is_counted",)),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "day", "channel"], condition=Q(is_counted=True), name="outside_income_counted"
            ),
            models.Index(
                fields=["tenant", "duplicate_of"],
                condition=Q(duplicate_of__isnull=False),
                name="outside_income_duplicate",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"

    @property
    def said(self) -> tuple[object, ...]:
        """What it says of money."""
        return self.day, self.kind, self.gross, self.fee, self.currency

    @property
    def differs(self) -> bool:
        """Whether it says something else than the row that it repeats."""
        return self.duplicate_of is not None and self.duplicate_of.said != self.said
