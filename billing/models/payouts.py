"""What leaves for creators: to where, in which states, and what holds it up."""

from django.db import models
from django.db.models import F, Q

from billing.models.ledger import Journal
from billing.models.withholding import WithholdingRule
from billing.money import Money
from creators.models import Creator
from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class PayoutAccount(TenantOwned):
    """Where a creator is paid in a currency. It is never changed: another one takes its place."""

    class Rail(models.TextChoices):
        SANDBOX = "sandbox"
        BANK_FILE = "bank_file", "by a file for the bank"
        STRIPE = "stripe", "to a connected account at Stripe"
        WECHATPAY = "wechatpay", "to a balance at WeChat Pay"
        ALIPAY = "alipay", "to an account at Alipay"

    creator = TenantForeignKey(Creator)
    currency = models.CharField(max_length=3)
    rail = models.CharField(max_length=20, choices=Rail.choices)
    details = models.BinaryField(help_text="Holder, number and bank, sealed with the installation's key.")
    hint = models.CharField(max_length=4, help_text="How its number ends.")
    made_by = TenantForeignKey(Member)
    made_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "creator", "currency"],
                condition=Q(withdrawn_at=None),
                name="a_creator_is_paid_to_one_account",
            ),
            AppendOnly(name="a_payout_account_is_only_withdrawn", updatable=("withdrawn_at",)),
        ]

    def __str__(self) -> str:
        return f"{self.rail} …{self.hint}"


class PayoutBatch(TenantOwned):
    """Payouts that go to the bank in one file."""

    currency = models.CharField(max_length=3)
    made_by = TenantForeignKey(Member)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [AppendOnly(name="a_payout_batch_is_never_changed")]

    def __str__(self) -> str:
        return f"batch {self.pk}"


class Payout(TenantOwned):
    """Money on its way to a creator. Its key is stored before anybody is told to pay."""

    class State(models.TextChoices):
        DRAFT = "draft", "waits for approval"
        APPROVED = "approved"
        SUBMITTED = "submitted", "the provider or the bank was told"
        UNKNOWN = "unknown", "the provider has to be asked"
        PAID = "paid"
        FAILED = "failed", "did not leave, and is the creator's again"
        REVERSED = "reversed", "left and came back"

    OPEN = (State.DRAFT, State.APPROVED, State.SUBMITTED, State.UNKNOWN)

    creator = TenantForeignKey(Creator)
    account = TenantForeignKey(PayoutAccount)
    batch = TenantForeignKey(PayoutBatch, null=True, blank=True, related_name="payouts")
    key = models.CharField(max_length=100, help_text="Ours; the provider does nothing twice under it.")
    asked_key = models.CharField(max_length=200, help_text="Theirs: asked again, it is this payout.")
    amount = models.BigIntegerField(help_text="What is sent, in minor units.")
    withheld = models.BigIntegerField(default=0, db_default=0, help_text="Tax that was taken off before.")
    withheld_back = models.BigIntegerField(
        default=0, db_default=0, help_text="Tax that was given back when it failed: its own, and what is now too much."
    )
    withholding = TenantForeignKey(WithholdingRule, null=True, blank=True, help_text="By which rule.")
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    reference = models.CharField(max_length=100, blank=True, help_text="The provider's or the bank's.")
    reason = models.CharField(max_length=200, blank=True, help_text="Why it failed or came back.")
    confirmation = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="What the creator's app needs to accept it, where it must be accepted.",
    )
    drafted_by = TenantForeignKey(Member)
    drafted_at = models.DateTimeField()
    approved_by = TenantForeignKey(Member, null=True, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    journal = TenantForeignKey(Journal)
    fee = models.BigIntegerField(default=0, db_default=0, help_text="What the provider has kept for it.")
    fee_journal = TenantForeignKey(Journal, null=True, blank=True, help_text="With which that was booked.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "key"], name="a_payout_leaves_once"),
            models.CheckConstraint(
                condition=Q(fee=0, fee_journal__isnull=True) | Q(fee__gt=0, fee_journal__isnull=False),
                name="what_was_kept_of_a_payout_is_booked",
            ),
            models.UniqueConstraint(
                fields=["tenant", "drafted_by", "creator", "asked_key"], name="a_payout_is_asked_once"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="a_payout_pays_something"),
            models.CheckConstraint(
                condition=Q(withheld=0) | Q(withheld__gt=0, withholding__isnull=False),
                name="what_is_withheld_has_a_rule",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["failed", "reversed"], withheld_back__gte=F("withheld"))
                | (~Q(state__in=["failed", "reversed"]) & Q(withheld_back=0)),
                name="what_did_not_leave_owes_no_tax",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "failed"]) | Q(approved_by__isnull=False),
                name="nothing_leaves_without_approval",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["submitted", "unknown", "paid", "reversed"]) | Q(submitted_at__isnull=False),
                name="what_left_says_since_when",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "creator", "-id"], name="payout_creator"),
            models.Index(fields=["tenant", "state", "-id"], name="payout_state"),
            models.Index(fields=["tenant", "batch", "id"], condition=Q(batch__isnull=False), name="payout_batch"),
            models.Index(fields=["tenant", "reference"], condition=~Q(reference=""), name="payout_reference"),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def gross(self) -> Money:
        """What it takes of the creator's money: what is sent, and what is withheld."""
        return Money(self.amount + self.withheld, self.currency)


class PayoutChange(TenantOwned):
    """What became of a payout, by whom, when and why; by nobody: the provider said so."""

    payout = TenantForeignKey(Payout, related_name="changes")
    by = TenantForeignKey(Member, null=True, blank=True)
    before = models.CharField(max_length=10, blank=True)
    after = models.CharField(max_length=10)
    why = models.CharField(max_length=200, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [AppendOnly(name="what_became_of_a_payout_stays")]
        indexes = [models.Index(fields=["tenant", "payout", "id"], name="payout_change")]

    def __str__(self) -> str:
        return f"{self.payout_id}: {self.after}"


class PayoutHold(TenantOwned):
    """Nothing is paid out to a creator, for a reason that they are told, with what they can do and until when."""

    class Reason(models.TextChoices):
        IDENTITY = "identity", "identity to be confirmed"
        ACCOUNT = "account", "payout account to be confirmed"
        TAX = "tax", "tax form missing"
        FRAUD = "fraud", "sales under review"
        DISPUTE = "dispute", "disputed by buyers"
        LEGAL = "legal", "order of an authority"

    creator = TenantForeignKey(Creator)
    reason = models.CharField(max_length=20, choices=Reason.choices)
    expected_on = models.DateField(help_text="When it is expected to end.")
    required_action = models.CharField(max_length=500, help_text="What the creator has to do.")
    placed_by = TenantForeignKey(Member)
    placed_at = models.DateTimeField()
    released_by = TenantForeignKey(Member, null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    why = models.CharField(max_length=200, blank=True, help_text="Why it was released.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(reason="") & ~Q(required_action=""), name="a_hold_says_why_and_what_to_do"
            ),
            models.CheckConstraint(
                condition=Q(released_at=None, released_by=None)
                | Q(released_at__isnull=False, released_by__isnull=False, released_at__gte=F("placed_at")),
                name="a_hold_is_released_by_somebody",
            ),
            AppendOnly(name="a_hold_is_only_released", updatable=("released_by_id", "released_at", "why")),
        ]
        indexes = [
            models.Index(fields=["tenant", "creator", "-id"], name="hold_creator"),
            models.Index(fields=["tenant", "creator"], condition=Q(released_at=None), name="hold_in_force"),
        ]

    def __str__(self) -> str:
        return f"{self.creator_id}: {self.reason}"
