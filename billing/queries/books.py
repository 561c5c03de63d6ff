"""What stands in the books."""

from dataclasses import dataclass

from django.db.models import Count, QuerySet, Sum

from billing.models import Account, Journal
from kpplatform.tenancy.models import Member


@dataclass(frozen=True)
class BalanceOfKind:
    """All accounts of one kind in one currency: how many, and their sums in minor units."""

    currency: str
    kind: str
    accounts: int
    debits: int
    credits: int

    @property
    def balance(self) -> int:
        return self.credits - self.debits


def balances_of(member: Member) -> QuerySet[Account]:
    """Return the accounts of the member's own creator, and of the member."""
    own = Account.objects.filter(creator__member=member) | Account.objects.filter(member=member)
    return own.order_by("currency", "kind", "pk")


def trial_balance() -> list[BalanceOfKind]:
    """Return the sums of the tenant's accounts by currency and kind: per currency all debits are all credits."""
    sums = {"accounts": Count("pk"), "debits": Sum("debits"), "credits": Sum("credits")}
    rows = Account.objects.values("currency", "kind").order_by("currency", "kind").annotate(**sums)
    return [BalanceOfKind(*row) for row in rows.values_list("currency", "kind", *sums)]


def journals() -> QuerySet[Journal]:
    """Return the tenant's journals with their transfers, newest first."""
    return Journal.objects.prefetch_related("transfers__debit", "transfers__credit").order_by("-pk")
