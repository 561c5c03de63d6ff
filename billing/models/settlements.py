"""Statements: what each creator had, got and has, period by period. Once issued, they stay."""

from django.db import models
from django.db.models import F, Q

from billing.money import Money
from creators.models import Creator
from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class SettlementPeriod(TenantOwned):
    """A calendar month in the tenant's time zone, closed.

    To it belong the journals up to `head_seq` that happened before its end and do not belong to an earlier one: what is
    booked late falls into the next.
    """

    starts_on = models.DateField()
    ends_at = models.DateTimeField()
    head_seq = models.BigIntegerField(help_text="The last journal in the tenant's chain when it was closed …")
    head_link = models.BinaryField(max_length=32, help_text="… and the chain's hash there.")
    issued_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "starts_on"], name="a_month_is_settled_once"),
            AppendOnly(name="a_settled_month_stays"),
        ]

    def __str__(self) -> str:
        return f"{self.starts_on:%Y-%m}"


class Settlement(TenantOwned):
    """A creator's month in one currency: what they had, what moved, what they have and where it is."""

    period = TenantForeignKey(SettlementPeriod, related_name="settlements")
    creator = TenantForeignKey(Creator)
    currency = models.CharField(max_length=3)
    opening = models.BigIntegerField(help_text="In minor units; as the month before closed.")
    movements = models.BigIntegerField(help_text="Σ of its lines.")
    closing = models.BigIntegerField(help_text="In all, which is:")
    pending = models.BigIntegerField(help_text="still refundable,")
    available = models.BigIntegerField(help_text="to be paid out,")
    reserve = models.BigIntegerField(help_text="held back,")
    in_transit = models.BigIntegerField(help_text="being paid out,")
    debt = models.BigIntegerField(help_text="less what is owed (below zero).")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "period", "creator", "currency"], name="a_creator_has_one_settlement_a_month"
            ),
            models.CheckConstraint(
                condition=Q(closing=F("opening") + F("movements")), name="opening_and_movements_are_closing"
            ),
            models.CheckConstraint(
                condition=Q(closing=F("pending") + F("available") + F("reserve") + F("in_transit") + F("debt")),
                name="closing_is_all_accounts",
            ),
            AppendOnly(name="a_settlement_is_never_changed"),
        ]
        indexes = [models.Index(fields=["tenant", "creator", "-id"], name="settlement_creator")]

    def __str__(self) -> str:
        return f"{self.period_id}: {self.creator_id}"

    @property
    def money(self) -> Money:
        return Money(self.closing, self.currency)


class SettlementLine(TenantOwned):
    """All movements of one kind in a settlement: sale:item, refund:tip, payout_paid and so on."""

    settlement = TenantForeignKey(Settlement, related_name="lines")
    kind = models.CharField(max_length=40)
    count = models.BigIntegerField()
    amount = models.BigIntegerField(help_text="In minor units; below zero for what went.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "settlement", "kind"], name="a_settlement_has_a_kind_once"),
            AppendOnly(name="a_settlement_line_is_never_changed"),
        ]

    def __str__(self) -> str:
        return f"{self.settlement_id}: {self.kind}"
