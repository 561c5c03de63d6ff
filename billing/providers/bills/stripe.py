"""Stripe's report: its balance transactions, a page at a time, or the itemised file of its dashboard."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, ClassVar

import stripe

from billing.money import EXPONENTS, Money
from billing.providers.bills.chinese import must_have
from billing.providers.protocol import ProviderUnavailable
from billing.providers.reports import BadReport, Reported, bad_line, csv_rows, reported
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
    "dispute": "dispute",
    "dispute_reversal": "reinstated",
}
DIVIDED = {"payout": "split", "reversal": "split_back"}
SPLIT_PREFIXES = ("sp_", "sr_")  # of the keys of what a creator is given of a payment, and of its return
METADATA = {"payment": "payment", "refund": "refund", "payout": "transfer", "reversal": "transfer"}
AMOUNT = re.compile(r"-?\d{1,15}(\.\d{1,6})?")


@dataclass(frozen=True)
class StripeReports:
    """The balance transactions of a tenant's account."""

    driver: Stripe
    zone: ClassVar[tzinfo] = UTC
    ready_after: ClassVar[timedelta] = timedelta(hours=1)
    may_be_late: ClassVar[timedelta] = timedelta()

    def fetch_report(self, *, since: datetime, until: datetime) -> Iterator[Reported]:
        span: Any = {"gte": int(since.timestamp()), "lt": int(until.timestamp())}
        asked: Any = {"created": span, "limit": PAGE, "expand": ["data.source"]}
        try:
            for made in self.driver.client.v1.balance_transactions.list(asked).auto_paging_iter():
                if kind := _kind(made):
                    yield _told(kind, made)
        except stripe.StripeError as error:
            raise refusal(error) from error
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise ProviderUnavailable("Stripe's report cannot be read.") from error


def _kind(made: Any) -> str | None:
    """Return of which of our kinds it is: what a dispute takes and gives back is an adjustment, of that category."""
    return KINDS.get(made.reporting_category if made.type == "adjustment" else made.type)


def _told(kind: str, made: Any) -> Reported:
    source = made.source.to_dict()
    said = (source.get("metadata") or {}).get("key", "")
    kind = _divided(kind, said)
    # The balance may be kept in another currency than was paid: what was paid stands in the source.
    amount = from_stripe(source["amount"], source["currency"])
    fee = from_stripe(made.fee, made.currency)
    return reported(
        kind,
        reference=source["transfer"] if kind == "reversal" else source["id"],
        key=said if kind in {"payment", "refund", "payout", "split", "split_back"} else "",
        amount=amount,
        fee=fee.minor if fee.currency == amount.currency else None,
        at=datetime.fromtimestamp(made.created, UTC),
    )


def _divided(kind: str, key: str) -> str:
    """Return the kind of a transfer, or of its return, that divides a payment: neither is a payout."""
    return DIVIDED.get(kind, kind) if key.startswith(SPLIT_PREFIXES) else kind


def rows_of(lines: Iterable[str]) -> Iterator[Reported]:
    """Yield the rows of an itemised balance file, whose amounts are in whole units. Raises BadReport."""
    rows = csv_rows(lines)
    _, names = next(rows, (1, []))
    must_have(names, COLUMNS)
    for number, values in rows:
        try:
            row = dict(zip(names, values, strict=True))
            said = _row(row) if row["reporting_category"] in KINDS else None
        except (ValueError, TypeError, KeyError, ArithmeticError) as error:
            raise bad_line(number) from error
        if said:
            yield said


def _row(row: dict[str, str]) -> Reported:
    kind, currency = KINDS[row["reporting_category"]], row["currency"].upper()
    key = _key(kind, row)
    kind = _divided(kind, key)
    if kind == "split_back":
        key = ""  # this is the transfer's; its return is known by Stripe's own name
    at = datetime.strptime(row["created_utc"], STAMP).replace(tzinfo=UTC)
    fee: int | None = abs(_minor(row["fee"], currency))
    amount = Money(abs(_minor(row["gross"], currency)), currency)
    paid_in = row.get("customer_facing_currency", "").upper()
    if paid_in not in {"", currency}:  # the balance is kept in another currency than was paid
        amount, fee = Money(abs(_minor(row["customer_facing_amount"], paid_in)), paid_in), None
    return reported(kind, reference=row["source_id"], key=key.removesuffix("-back"), amount=amount, fee=fee, at=at)


def _key(kind: str, row: dict[str, str]) -> str:
    """Return under which key of ours it was. Raises BadReport where it could not be known: staff choose the columns."""
    column = f"{METADATA.get(kind)}_metadata[key]"
    if column not in row and kind in METADATA:
        raise BadReport(f"The report lacks the column {column}.")
    return row.get(column, "")


def _minor(amount: str, currency: str) -> int:
    if not AMOUNT.fullmatch(amount):
        raise ValueError(amount)
    minor = Decimal(amount).scaleb(EXPONENTS[currency])
    if minor != int(minor):
        raise ValueError(amount)
    return int(minor)
