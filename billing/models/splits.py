"""What the provider divides itself (分账): to whom, how much of which payment, and what came back."""

from django.db import models
from django.db.models import F, Q

from billing.models.ledger import Journal
from billing.models.sales import Payment
from billing.money import Money
from creators.models import Creator
from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class SplitState(models.TextChoices):
    """How far the provider is with what it was asked to do."""

    ASKED = "asked", "the provider was not told yet"
    SUBMITTED = "submitted", "the provider is being told, or has not finished"
    UNKNOWN = "unknown", "the provider has to be asked"
    DONE = "done"
    FAILED = "failed", "refused by the provider"


class SplitReceiver(TenantOwned):
    """Whom a provider gives a creator's part to. It is never changed: another one takes its place."""

    class Kind(models.TextChoices):
        MERCHANT = "merchant", "a merchant of the provider, or a connected account"
        PERSON = "person", "a person: what they got is not taken back"

    creator = TenantForeignKey(Creator)
    provider = models.CharField(max_length=20)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    details = models.BinaryField(help_text="Account and name there, sealed with the installation's key.")
    hint = models.CharField(max_length=4, help_text="How the account ends.")
    made_by = TenantForeignKey(Member)
    made_at = models.DateTimeField()
    registered_at = models.DateTimeField(null=True, blank=True, help_text="When the provider knew of it.")
    refusal = models.CharField(max_length=200, blank=True, help_text="Why the provider wants nothing of it.")
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "creator", "provider"],
                condition=Q(withdrawn_at=None),
                name="a_creator_is_one_receiver_there",
            ),
            AppendOnly(name="a_receiver_stays_who_it_is", updatable=("registered_at", "refusal", "withdrawn_at")),
        ]

    def __str__(self) -> str:
        return f"{self.provider} …{self.hint}"


class SplitOrder(TenantOwned):
    """One payment that the provider divides, once: the rest is the merchant's. Its key is stored before the call."""

    OPEN = (SplitState.ASKED, SplitState.SUBMITTED, SplitState.UNKNOWN)

    payment = TenantForeignKey(Payment)
    key = models.CharField(max_length=100, help_text="Ours; the provider does nothing twice under it.")
    state = models.CharField(max_length=10, choices=SplitState.choices, default=SplitState.ASKED)
    reason = models.CharField(max_length=200, blank=True, help_text="Why the provider refused it.")
    asked_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    journal = TenantForeignKey(Journal, null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "key"], name="a_split_is_asked_for_once"),
            models.UniqueConstraint(fields=["tenant", "payment"], name="a_payment_is_divided_once"),
        ]
        indexes = [models.Index(fields=["tenant", "state", "-id"], name="split_order_state")]

    def __str__(self) -> str:
        return self.key


class Split(TenantOwned):
    """What one creator gets of a payment, directly from the provider."""

    class State(models.TextChoices):
        ASKED = "asked", "set aside; the provider may not know of it"
        DONE = "done"
        FAILED = "failed", "not given; the creator can be paid out"
        RETURNED = "returned", "all of it was taken back from the receiver"

    order = TenantForeignKey(SplitOrder, related_name="splits")
    creator = TenantForeignKey(Creator)
    receiver = TenantForeignKey(SplitReceiver)
    amount = models.BigIntegerField(help_text="In minor units.")
    returned = models.BigIntegerField(default=0, help_text="Of the amount: was taken back from the receiver.")
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    reference = models.CharField(max_length=100, blank=True, help_text="The provider's.")
    reason = models.CharField(max_length=200, blank=True, help_text="Why it was not given.")
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "order", "creator"], name="a_creator_has_one_split_of_a_payment"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="a_split_gives_something"),
            models.CheckConstraint(
                condition=Q(returned__gte=0, returned__lte=F("amount")), name="no_more_returns_than_was_given"
            ),
            models.CheckConstraint(
                condition=Q(returned=0) | Q(state__in=["done", "returned"]), name="only_what_was_given_returns"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "creator", "-id"], name="split_creator")]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.creator_id}"

    @property
    def key(self) -> str:
        """Our key of this part: the order's, and its number."""
        return f"{self.order.key}-{self.pk}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class SplitReturn(TenantOwned):
    """What a receiver is to give back, because it was refunded or disputed after it was given."""

    split = TenantForeignKey(Split, related_name="returns")
    key = models.CharField(max_length=100, help_text="Ours; the provider does nothing twice under it.")
    amount = models.BigIntegerField(help_text="In minor units.")
    state = models.CharField(max_length=10, choices=SplitState.choices, default=SplitState.ASKED)
    reference = models.CharField(max_length=100, blank=True, help_text="The provider's.")
    reason = models.CharField(max_length=200, blank=True, help_text="Why it did not come back; it stays a debt.")
    asked_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    journal = TenantForeignKey(Journal, null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "key"], name="a_return_is_asked_for_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="a_return_is_of_something"),
            models.CheckConstraint(
                condition=Q(state="done", journal__isnull=False) | ~Q(state="done") & Q(journal=None),
                name="what_returned_is_booked",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "split"], name="split_return_split")]

    def __str__(self) -> str:
        return self.key

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def currency(self) -> str:
        return str(self.split.currency)
