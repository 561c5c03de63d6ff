"""What became of creators' shares after the sale."""

from django.db import models
from django.db.models import F, Q

from billing.models.ledger import Journal
from billing.models.sales import OrderLine
from creators.models import Creator
from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class Maturity(TenantOwned):
    """A creator's part of a line became theirs: to repay what they owed, to be held back, and else to be paid out."""

    line = TenantForeignKey(OrderLine)
    creator = TenantForeignKey(Creator)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField(help_text="In minor units.")
    repaid = models.BigIntegerField(help_text="Of the amount: went to what the creator owed.")
    reserved = models.BigIntegerField(help_text="Of the amount: is held back.")
    releases_at = models.DateTimeField(null=True, blank=True, help_text="Until then; none: nothing is.")
    journal = TenantForeignKey(Journal)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "journal", "line", "creator"], name="a_part_of_a_line_matures_once_in_a_journal"
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0, repaid__gte=0, reserved__gte=0, amount__gte=F("repaid") + F("reserved")),
                name="no_more_matures_than_there_is",
            ),
            AppendOnly(name="what_matured_is_never_changed", updatable=("releases_at",)),
        ]
        indexes = [
            models.Index(fields=["tenant", "line"], name="maturity_line"),
            models.Index(fields=["tenant", "creator", "-id"], name="maturity_creator"),
            models.Index(
                fields=["tenant", "releases_at", "id"], condition=Q(releases_at__isnull=False), name="maturity_releases"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.line_id}: {self.creator_id}"
