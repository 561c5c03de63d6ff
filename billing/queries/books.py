"""What stands in the books."""

from django.db.models import QuerySet

from billing.models import Account, Journal
from kpplatform.tenancy.models import Member


def balances_of(member: Member) -> QuerySet[Account]:
    """Return the accounts of the member's own creator, and of the member."""
    own = Account.objects.filter(creator__member=member) | Account.objects.filter(member=member)
    return own.order_by("currency", "kind", "pk")


def journals() -> QuerySet[Journal]:
    """Return the tenant's journals with their transfers, newest first."""
    return Journal.objects.prefetch_related("transfers__debit", "transfers__credit").order_by("-pk")
