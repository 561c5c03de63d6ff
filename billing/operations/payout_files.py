"""Payouts by a file for the bank: staff take it there, and tell what became of it."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime

from django.db import transaction

from billing.models import Payout, PayoutAccount, PayoutBatch
from billing.money import EXPONENTS, Money
from billing.operations.holds import held_among, must_run_the_tenant
from billing.operations.payout_accounts import destination_of
from billing.operations.payouts import (
    FourEyes,
    State,
    WrongState,
    held,
    moved_to,
    must_be_another,
    settle_failed,
    settle_paid,
)
from kpplatform.errors import Conflict, Invalid
from kpplatform.tenancy.models import Member

COLUMNS = ("key", "holder", "number", "bank", "amount", "currency")
RESULT_COLUMNS = {"key", "status", "reference", "reason"}
MOST = 10_000


class NothingToPay(Conflict):
    code = "nothing_to_pay"


class BadResult(Invalid):
    code = "bad_result"


@transaction.atomic
def make_batch(*, by: Member, currency: str, at: datetime) -> PayoutBatch:
    """Put all approved payouts that go by the bank's file, and are not held, into one. Raises NothingToPay."""
    must_run_the_tenant(by)
    waiting = Payout.objects.filter(state=State.APPROVED, currency=currency, account__rail=PayoutAccount.Rail.BANK_FILE)
    locked = list(waiting.select_for_update(no_key=True, of=("self",)).order_by("pk")[:MOST])
    stopped = held_among(payout.creator_id for payout in locked)
    leaving = [payout for payout in locked if payout.creator_id not in stopped]
    if not leaving:
        raise NothingToPay(f"No approved payout in {currency} waits for a file.")
    batch = PayoutBatch.objects.create(currency=currency, made_by=by, made_at=at)
    for payout in leaving:
        payout.batch, payout.submitted_at = batch, at
        moved_to(payout, State.SUBMITTED, by=by, why=f"{batch}", at=at)
    return batch


def lines_of(batch: PayoutBatch) -> Iterator[str]:
    """Yield the file for the bank, line by line."""
    yield _line(COLUMNS)
    for payout in batch.payouts.select_related("account").order_by("pk").iterator(chunk_size=500):
        to = destination_of(payout.account)
        yield _line((payout.key, to.holder, to.number, to.bank, decimal(payout.money), payout.currency))


@transaction.atomic
def apply_result(*, batch: PayoutBatch, text: str, by: Member, at: datetime) -> int:
    """Book what the bank says in a file of key, status (paid or failed), reference and reason; say how much was news.

    All of it or nothing. Raises StaffDecide, BadResult, WrongState for what contradicts an earlier file, and FourEyes.
    """
    must_run_the_tenant(by)
    rows = _rows(text)
    # All before any is booked: payouts first, then the ledger, as everybody does.
    locked = batch.payouts.select_for_update(no_key=True, of=("self",))
    locked = locked.select_related("account", "creator", "withholding")
    there = {payout.key: payout for payout in locked.filter(key__in=[row["key"] for row in rows]).order_by("pk")}
    return sum(_applied(there.get(row["key"]), row, by, at) for row in rows)


def _rows(text: str) -> list[dict[str, str]]:
    """Return the rows of the bank's answer. Raises BadResult for what is no such file."""
    try:
        reader = csv.DictReader(io.StringIO(text), restval="")
        if not set(reader.fieldnames or ()) >= RESULT_COLUMNS:
            raise BadResult(f"The file has the columns {', '.join(sorted(RESULT_COLUMNS))}.")
        return list(reader)
    except csv.Error as error:
        raise BadResult(f"This is no CSV: {error}.") from error


def _applied(payout: Payout | None, row: dict[str, str], by: Member, at: datetime) -> bool:
    if payout is None or row["status"] not in {State.PAID, State.FAILED}:
        raise BadResult(f"{row['key']!r} {row['status']!r} is no payout of this batch that was paid or failed.")
    if row["status"] == State.PAID and not (row["reference"].strip() and row["reference"].isprintable()):
        raise BadResult(f"{payout} was paid under no reference.")
    if payout.state == row["status"]:
        return False
    if payout.state != State.SUBMITTED:
        raise WrongState(f"{payout} is {payout.state}.")
    must_be_another(payout, by, payout.approved_by_id)
    if row["status"] == State.PAID:
        settle_paid(payout, reference=row["reference"][:100], by=by, at=at)
    else:
        settle_failed(payout, by=by, why=row["reason"] or "refused by the bank", at=at)
    return True


@transaction.atomic
def mark_paid(*, payout: Payout, by: Member, reference: str, at: datetime) -> Payout:
    """Book by hand that the bank has paid, with its reference: always by somebody else than who approved.

    Raises StaffDecide, WrongState, FourEyes and BadResult.
    """
    must_run_the_tenant(by)
    payout = held(payout)
    if payout.state != State.SUBMITTED or payout.batch_id is None:
        raise WrongState(f"This payout is {payout.state}, or does not go by a file.")
    if by.pk == payout.approved_by_id:
        raise FourEyes("Somebody else has to see that it was paid.")
    if not reference.strip():
        raise BadResult("The bank's reference is needed.")
    settle_paid(payout, reference=reference.strip()[:100], by=by, at=at)
    return payout


def decimal(money: Money) -> str:
    """Write an amount as banks do: 1234.50."""
    places = EXPONENTS[money.currency]
    digits = f"{abs(money.minor):0{places + 1}d}"
    whole, part = digits[: len(digits) - places], digits[len(digits) - places :]
    return f"{'-' if money.minor < 0 else ''}{whole}{'.' if part else ''}{part}"


def _line(cells: tuple[str, ...]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
