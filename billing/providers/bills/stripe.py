"""Stripe's report: its balance transactions, a page at a time, or the itemised file of its dashboard."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, ClassVar

import stripe

from billing.money import EXPONENTS, Money
from billing.providers.protocol import ProviderUnavailable
from billing.providers.reports import BadReport, Reported, bad_line, reported
from billing.providers.stripe import PAGE, Stripe, refusal
from billing.providers.stripe_amounts import from_stripe

HEADER = "balance_transaction_id,"
COLUMNS = {"balance_transaction_id", "created_utc", "currency", "gross", "fee", "reporting_category", "source_id"}
STAMP = "%Y-%m-%d %H:%M:%S"
# By the transaction's type, and by its category in the file. What is left has no row of ours: fees, adjustments.
KINDS = {
    "charge": "payment",
    "payment": "payment",
    "refund": "refund",
    "payment_refund": "refund",
    "transfer": "payout",
    "transfer_refund": "reversal",
    "transfer_reversal": "reversal",
}


@dataclass(frozen=True)
class StripeReports:
    """The balance transactions of a tenant's account."""

    driver: Stripe
    zone: ClassVar[tzinfo] = UTC
    ready_after: ClassVar[timedelta] = timedelta(hours=1)

    def fetch_report(self, *, since: datetime, until: datetime) -> Iterator[Reported]:
        span: Any = {"gte": int(since.timestamp()), "lt": int(until.timestamp())}
        asked: Any = {"created": span, "limit": PAGE, "expand": ["data.source"]}
        try:
            for made in self.driver.client.v1.balance_transactions.list(asked).auto_paging_iter():
                if made.type in KINDS:
                    yield _told(made)
        except stripe.StripeError as error:
            raise refusal(error) from error
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise ProviderUnavailable("Stripe's report cannot be read.") from error


def _told(made: Any) -> Reported:
    source = made.source.to_dict()
    kind = KINDS[made.type]
    # The balance may be kept in another currency than was paid: what was paid stands in the source.
    amount = from_stripe(source["amount"], source["currency"])
    fee = from_stripe(made.fee, made.currency)
    return reported(
        kind,
        reference=source["transfer"] if kind == "reversal" else source["id"],
        key="" if kind == "reversal" else (source.get("metadata") or {}).get("key", ""),
        amount=amount,
        fee=fee.minor if fee.currency == amount.currency else None,
        at=datetime.fromtimestamp(made.created, UTC),
    )


def rows_of(lines: Iterable[str]) -> Iterator[Reported]:
    """Yield the rows of an itemised balance file, whose amounts are in whole units. Raises BadReport."""
    rows = csv.DictReader(lines)
    if missing := COLUMNS - set(rows.fieldnames or ()):
        raise BadReport(f"The report lacks the columns {', '.join(sorted(missing))}.")
    for number, row in enumerate(rows, start=2):
        try:
            said = _row(row) if row["reporting_category"] in KINDS else None
        except (ValueError, TypeError, KeyError, ArithmeticError) as error:
            raise bad_line(number) from error
        if said:
            yield said


def _row(row: dict[str, str]) -> Reported:
    kind, currency = KINDS[row["reporting_category"]], row["currency"].upper()
    metadata = {"payment": "payment", "refund": "refund", "payout": "transfer", "reversal": "transfer"}[kind]
    key = row.get(f"{metadata}_metadata[key]") or ""
    at = datetime.strptime(row["created_utc"], STAMP).replace(tzinfo=UTC)
    fee = abs(_minor(row["fee"], currency))
    amount = Money(abs(_minor(row["gross"], currency)), currency)
    return reported(kind, reference=row["source_id"], key=key.removesuffix("-back"), amount=amount, fee=fee, at=at)


def _minor(amount: str, currency: str) -> int:
    minor = Decimal(amount).scaleb(EXPONENTS[currency])
    if minor != int(minor):
        raise ValueError(amount)
    return int(minor)
