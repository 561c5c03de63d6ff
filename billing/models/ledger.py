"""The ledger's rows. Only billing.ledger writes them; the app's role may not change what was posted."""

from django.db import models
from django.db.models import F, Q

from billing.models.channels import Channel
from billing.money import Money
from creators.models import Creator
from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned

FLOOR = "no_account_falls_below_its_floor"
OUTSIDE = ("outside", "outside_income", "outside_fees")  # the kinds of accounts of what is earned elsewhere


class Account(TenantOwned):
    """Where money of one currency is, or is owed: what was credited less what was debited is its balance.

    Who owes is below zero: the provider's clearing account, while the provider holds money for the tenant.
    """

    class Kind(models.TextChoices):
        CLEARING = "clearing", "with the payment provider"
        REFUND_CLEARING = "refund_clearing", "on its way back to buyers"
        WALLET = "wallet", "a viewer's wallet"
        PENDING = "pending", "a creator's, still refundable"
        AVAILABLE = "available", "a creator's, to be paid out"
        RESERVE = "reserve", "a creator's, held back"
        IN_TRANSIT = "in_transit", "a creator's, being paid out"
        CLAWBACK = "clawback", "owed by a creator"
        FEES = "fees", "the platform's fees"
        PROCESSOR = "processor", "the payment provider's fees"
        TAX = "tax", "tax to be handed over"
        WITHHOLDING = "withholding", "tax withheld from creators"
        DISPUTE = "dispute", "held for what buyers dispute"
        ADVERTISER = "advertiser", "prepaid by an advertiser"
        AD_BUDGET = "ad_budget", "set aside for an advertiser's campaigns"
        AD_REVENUE = "ad_revenue", "earned with ads, to be shared"
        COINS = "coins", "a viewer's coins, not yet spent"
        POOL = "pool", "members' money, to be shared among creators"
        POOL_DEBT = "pool_debt", "shared among creators, and given back to members since"
        OUTSIDE = "outside", "a creator's at another platform: not the tenant's money"
        OUTSIDE_INCOME = "outside_income", "earned by a creator at another platform"
        OUTSIDE_FEES = "outside_fees", "kept by another platform of what a creator earned there"

    name = models.CharField(max_length=80, help_text="Kind, currency and owner in one: pending/CNY/creator/12")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    currency = models.CharField(max_length=3)
    creator = TenantForeignKey(Creator, null=True, blank=True)
    member = TenantForeignKey(Member, null=True, blank=True)
    channel = TenantForeignKey(
        Channel,
        null=True,
        blank=True,
        help_text="Of what is earned elsewhere: neither the tenant's, nor paid out here.",
    )
    floor = models.BigIntegerField(null=True, blank=True, help_text="The balance never falls below; none: it may.")
    debits = models.BigIntegerField(default=0, help_text="Σ of all transfers from here, in minor units.")
    credits = models.BigIntegerField(default=0, help_text="Σ of all transfers to here, in minor units.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="a_name_is_one_account"),
            models.UniqueConstraint(fields=["tenant", "id", "currency"], name="an_account_has_one_currency"),
            models.CheckConstraint(condition=Q(credits__gte=F("floor") + F("debits")), name=FLOOR),
            models.CheckConstraint(condition=Q(debits__gte=0, credits__gte=0), name="what_went_through_only_grows"),
            models.CheckConstraint(
                condition=Q(kind__in=OUTSIDE, channel__isnull=False, creator=None, member=None)
                | (~Q(kind__in=OUTSIDE) & Q(channel=None)),
                name="what_is_earned_elsewhere_is_a_channels",
            ),
            AppendOnly(name="an_account_changes_its_balance_only", updatable=("debits", "credits")),
        ]
        indexes = [models.Index(fields=["tenant", "creator"], name="account_creator")]

    def __str__(self) -> str:
        return self.name

    @property
    def balance(self) -> Money:
        return Money(self.credits - self.debits, self.currency)


class Journal(TenantOwned):
    """One event in the ledger: all its transfers were posted together, once, under its key.

    Each is a link of the tenant's chain: its hash covers its content and the hash before it.
    """

    class Kind(models.TextChoices):
        SALE = "sale"
        REFUND = "refund"
        REFUND_SENT = "refund_sent"
        REFUND_FAILED = "refund_failed"
        OPENING = "opening"
        TIP = "tip"
        GIFT = "gift"
        GIFT_MATURITY = "gift_maturity"
        GIFT_BACK = "gift_back"
        COIN_COST = "coin_cost"
        TOP_UP = "top_up"
        MATURITY = "maturity"
        RESERVE = "reserve"
        POOL_SHARE = "pool_share"
        DISPUTE_HELD = "dispute_held"
        DISPUTE_WITHDRAWN = "dispute_withdrawn"
        DISPUTE_REINSTATED = "dispute_reinstated"
        DISPUTE_RELEASED = "dispute_released"
        SPLIT = "split"
        SPLIT_DONE = "split_done"
        SPLIT_FAILED = "split_failed"
        SPLIT_RETURNED = "split_returned"
        PAYOUT = "payout"
        PAYOUT_PAID = "payout_paid"
        PAYOUT_FAILED = "payout_failed"
        PAYOUT_REVERSED = "payout_reversed"
        PAYOUT_FEE = "payout_fee"
        WITHHOLDING = "withholding"
        WITHHOLDING_BACK = "withholding_back"
        TAX_PAID = "tax_paid"
        OUTSIDE = "outside", "income elsewhere"
        OUTSIDE_BACK = "outside_back", "income elsewhere, withdrawn"
        AD_COMMIT = "ad_commit"
        AD_RELEASE = "ad_release"
        AD_CHARGE = "ad_charge"
        AD_SHARE = "ad_share"
        AD_CREDIT = "ad_credit"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    key = models.CharField(max_length=200, help_text="Posted again under this key, it is this journal.")
    seq = models.BigIntegerField(help_text="Its place in the tenant's chain: 1, 2, 3 …")
    at = models.DateTimeField()
    digest = models.BinaryField(max_length=32, help_text="SHA-256 of kind and transfers.")
    link = models.BinaryField(max_length=32, help_text="SHA-256 of the link before, and of this journal.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "key"], name="a_key_is_one_journal"),
            models.UniqueConstraint(fields=["tenant", "seq"], name="a_place_in_the_chain_is_one_journal"),
            AppendOnly(name="a_journal_is_never_changed"),
        ]
        indexes = [models.Index(fields=["tenant", "at"], name="journal_at")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class Transfer(TenantOwned):
    """An amount that went from one account to another of the same currency: it balances by construction."""

    journal = TenantForeignKey(Journal, related_name="transfers")
    debit = TenantForeignKey(Account, also=("currency",), help_text="From here …")
    credit = TenantForeignKey(Account, also=("currency",), help_text="… to here.")
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField(help_text="In minor units.")
    digest = models.BinaryField(max_length=32, help_text="SHA-256 of the accounts, the currency and the amount.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="a_transfer_moves_something"),
            models.CheckConstraint(condition=~Q(debit=F("credit")), name="a_transfer_has_two_ends"),
            AppendOnly(name="a_transfer_is_never_changed"),
        ]
        indexes = [
            models.Index(fields=["tenant", "journal"], name="transfer_journal"),
            models.Index(fields=["tenant", "debit", "-id"], name="transfer_debit_newest"),
            models.Index(fields=["tenant", "credit", "-id"], name="transfer_credit_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.debit_id} → {self.credit_id}: {self.money}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class ChainHead(TenantOwned):
    """The end of a tenant's chain of journals. Whoever posts for the tenant holds this row first."""

    seq = models.BigIntegerField(default=0)
    link = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant"], name="a_tenant_has_one_chain"),
            AppendOnly(name="a_chain_only_moves_on", updatable=("seq", "link")),
        ]

    def __str__(self) -> str:
        return f"{self.seq}:{bytes(self.link).hex()}"
