"""What buyers dispute at the provider: in which state, from whom the money was taken meanwhile, what is answered."""

from django.db import models
from django.db.models import F, Q

from billing.models.ledger import Journal
from billing.models.sales import OrderLine, Parted, Payment, sums_up
from billing.money import Money
from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class Dispute(TenantOwned):
    """A buyer wants money back, and says so to the bank or the provider instead of to the shop."""

    class State(models.TextChoices):
        WARNING = "warning", "an enquiry or a complaint: no money has moved"
        CLOSED = "closed", "an enquiry that is over"
        NEEDS_RESPONSE = "needs_response", "waits for evidence"
        UNDER_REVIEW = "under_review", "the bank decides"
        WON = "won"
        LOST = "lost", "decided for the buyer, or accepted"

    class Bearer(models.TextChoices):
        PLATFORM = "platform"
        CREATOR = "creator", "those who got the money"

    OVER = (State.CLOSED, State.WON, State.LOST)
    # While the bank has it, and when it was lost, those who got the money do not have it.
    HELD = (State.NEEDS_RESPONSE, State.UNDER_REVIEW, State.LOST)
    UNANSWERED = (State.WARNING, State.NEEDS_RESPONSE)

    payment = TenantForeignKey(Payment, related_name="disputes")
    reference = models.CharField(max_length=100, help_text="The provider's.")
    reason = models.CharField(max_length=100, blank=True, help_text="As the provider names it.")
    amount = models.BigIntegerField(help_text="In minor units.")
    currency = models.CharField(max_length=3)
    held = models.BigIntegerField(default=0, help_text="Of the amount: taken from those who got it.")
    state = models.CharField(max_length=20, choices=State.choices)
    due_at = models.DateTimeField(null=True, blank=True, help_text="Until then evidence is taken.")
    opened_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    fee = models.BigIntegerField(default=0, help_text="The provider's, for being disputed.")
    fee_back = models.BigIntegerField(default=0, help_text="Of the fee: given back with the money.")
    fee_currency = models.CharField(max_length=3, blank=True)
    fee_by = models.CharField(max_length=10, choices=Bearer.choices, blank=True, help_text="Who has borne the fee.")
    withdrawn_at = models.DateTimeField(null=True, blank=True, help_text="When the provider took the money.")
    withdrawn = TenantForeignKey(Journal, null=True, blank=True)
    reinstated_at = models.DateTimeField(null=True, blank=True, help_text="When it gave the money back.")
    reinstated = TenantForeignKey(Journal, null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "payment", "reference"], name="a_dispute_is_one_row"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="a_dispute_is_about_something"),
            models.CheckConstraint(
                condition=Q(held__gte=0, held__lte=F("amount")), name="no_more_is_held_than_is_disputed"
            ),
            models.CheckConstraint(
                condition=Q(fee_back__gte=0, fee__gte=F("fee_back")), name="no_more_of_a_fee_comes_back_than_it_was"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["closed", "won", "lost"], decided_at__isnull=False)
                | (~Q(state__in=["closed", "won", "lost"]) & Q(decided_at=None)),
                name="a_decided_dispute_says_since_when",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn=None, withdrawn_at=None)
                | Q(withdrawn__isnull=False, withdrawn_at__isnull=False, fee_by__in=["platform", "creator"]),
                name="what_a_provider_took_is_booked",
            ),
            models.CheckConstraint(
                condition=Q(reinstated=None, reinstated_at=None)
                | Q(reinstated__isnull=False, reinstated_at__isnull=False, withdrawn__isnull=False),
                name="what_a_provider_gave_back_it_had_taken",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "state", "-id"], name="dispute_state"),
            models.Index(fields=["tenant", "reference"], name="dispute_reference"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class DisputePart(TenantOwned, Parted):
    """What was taken of one line because of a dispute, divided as it had been earned; released, they have it again."""

    dispute = TenantForeignKey(Dispute, related_name="parts")
    line = TenantForeignKey(OrderLine, related_name="disputes")
    currency = models.CharField(max_length=3)
    held_at = models.DateTimeField()
    journal = TenantForeignKey(Journal)
    released = TenantForeignKey(Journal, null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=sums_up(), name="the_parts_of_what_is_held_are_its_amount"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="what_is_held_is_something"),
            AppendOnly(name="what_is_held_is_only_released", updatable=("released_id",)),
        ]
        indexes = [
            models.Index(fields=["tenant", "line"], name="dispute_part_line"),
            models.Index(fields=["tenant", "dispute"], name="dispute_part_dispute"),
        ]

    def __str__(self) -> str:
        return f"{self.dispute_id}: {self.line_id}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class DisputeEvidence(TenantOwned):
    """Something that speaks against a dispute: words, a file, or what we know of it ourselves."""

    class Kind(models.TextChoices):
        RECEIPT = "receipt", "what was bought, when, for how much"
        TEXT = "text"
        ACCESS_LOG = "access_log", "when the buyer watched"
        FILE = "file"

    dispute = TenantForeignKey(Dispute, related_name="evidence")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    text = models.TextField(blank=True)
    content = models.BinaryField(blank=True, help_text="A small PNG, JPEG or PDF.")
    content_type = models.CharField(max_length=40, blank=True)
    by = TenantForeignKey(Member)
    added_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="file", text="") & ~Q(content_type="") | ~Q(kind="file") & ~Q(text=""),
                name="evidence_says_something",
            ),
            AppendOnly(name="evidence_stays"),
        ]
        indexes = [models.Index(fields=["tenant", "dispute", "id"], name="dispute_evidence")]

    def __str__(self) -> str:
        return f"{self.dispute_id}: {self.kind}"


class DisputeAnswer(TenantOwned):
    """What the provider is told about a dispute. Its key is stored before the call; lost, the provider is asked."""

    class Kind(models.TextChoices):
        EVIDENCE = "evidence", "evidence is submitted"
        ACCEPT = "accept", "the dispute is accepted as lost"

    class State(models.TextChoices):
        ASKED = "asked", "the provider was not told yet"
        SUBMITTED = "submitted", "the provider is being told"
        UNKNOWN = "unknown", "the provider has to be asked"
        DONE = "done"
        FAILED = "failed", "refused by the provider"

    OPEN = (State.ASKED, State.SUBMITTED, State.UNKNOWN)

    dispute = TenantForeignKey(Dispute, related_name="answers")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    key = models.CharField(max_length=100, help_text="Ours; the provider does nothing twice under it.")
    asked_by = TenantForeignKey(Member)
    asked_key = models.CharField(max_length=200, help_text="Theirs: asked again, it is this answer.")
    up_to = TenantForeignKey(DisputeEvidence, null=True, blank=True, help_text="The last piece that goes with it.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    reason = models.CharField(max_length=200, blank=True, help_text="Why the provider refused it.")
    asked_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "key"], name="an_answer_is_given_once"),
            models.UniqueConstraint(
                fields=["tenant", "dispute", "asked_by", "asked_key"], name="an_answer_is_asked_for_once"
            ),
            models.UniqueConstraint(
                fields=["tenant", "dispute"],
                condition=Q(state__in=["asked", "submitted", "unknown"]),
                name="a_dispute_is_answered_one_by_one",
            ),
            models.CheckConstraint(
                condition=Q(kind="evidence", up_to__isnull=False) | Q(kind="accept", up_to=None),
                name="an_answer_is_evidence_or_yes",
            ),
        ]

    def __str__(self) -> str:
        return self.key
