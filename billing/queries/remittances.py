"""What is owed to the tax office and what was handed over; and questions about it, for `verify_ledger`."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet, Sum

from billing import ledger
from billing.models import Account, Journal, Remittance, Transfer
from billing.money import Money
from billing.queries.clock import tenants_time


@dataclass(frozen=True)
class Owed:
    """A tax in a currency: what is owed now, and of it what was owed at the end of last month and is to be drafted."""

    of: str
    currency: str
    owed: int
    due: int


def handed_over() -> QuerySet[Remittance]:
    """Return what was handed over, is to be and was not, newest first."""
    return Remittance.objects.select_related("drafted_by", "decided_by").order_by("-pk")


def account_of_tax(of: str, currency: str) -> ledger.Name:
    """Return where a tax lies until it is handed over."""
    return ledger.withholding(currency) if of == Remittance.Tax.WITHHELD else ledger.tax(currency)


def owed_until(of: str, currency: str, until: datetime) -> Money:
    """Return what was owed of a tax then, less what was handed over or drafted since.

    It is reckoned back from what is owed now, so only what was booked since is read.
    """
    account = account_of_tax(of, currency)
    since = Transfer.objects.filter(journal__at__gte=until).exclude(journal__kind=Journal.Kind.TAX_PAID)
    came = since.filter(credit__name=str(account)).aggregate(sum=Sum("amount", default=0))["sum"]
    went = since.filter(debit__name=str(account)).aggregate(sum=Sum("amount", default=0))["sum"]
    drafts = Remittance.objects.filter(of=of, currency=currency, state=Remittance.State.DRAFT)
    drafted = drafts.aggregate(sum=Sum("amount", default=0))["sum"]
    return account.balance - Money(came - went + drafted, currency)


def taxes_owed(at: datetime) -> list[Owed]:
    """Return each tax that is owed, and how much of it since before this month of the tenant's."""
    begins = tenants_time(at).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    accounts = Account.objects.filter(kind__in=Remittance.Tax.values).order_by("kind", "currency")
    return [
        Owed(of.kind, of.currency, of.balance.minor, max(owed_until(of.kind, of.currency, begins).minor, 0))
        for of in accounts
    ]


# Each returns the table, the row and what is wrong with it.
QUESTIONS = (
    (
        "L8",
        """
        SELECT 'remittance', coalesce(r.id, 0), format('is %%s of %%s, but %%s was booked', r.state, r.amount,
                                                       coalesce(b.amount, 0))
        FROM billing_remittance r
        FULL JOIN (
            SELECT j.id, c.kind, t.currency, sum(t.amount) AS amount
            FROM billing_journal j
            JOIN billing_transfer t ON t.journal_id = j.id
            JOIN billing_account c ON c.id = t.debit_id
            WHERE j.kind = 'tax_paid' GROUP BY 1, 2, 3
        ) b ON b.id = r.journal_id AND b.kind = r.of AND b.currency = r.currency
        WHERE coalesce(b.amount, 0) <> CASE WHEN r.state = 'paid' THEN r.amount ELSE 0 END
        ORDER BY 2 LIMIT %(most)s""",
    ),
)
