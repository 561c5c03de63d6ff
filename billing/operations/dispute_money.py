"""What a dispute moves: held from those who got the money, taken by the provider, given back, and released.

Each is a journal of its own, booked once, in whatever order the provider tells of them.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from billing import ledger
from billing.models import Account, Dispute, DisputePart, Journal, Order, OrderLine
from billing.money import Money
from billing.operations.crash import crash_here
from billing.operations.earnings import Moved, credited, handed_back, recovered
from billing.operations.refunds import ask_receivers, matures_again, taken_of
from billing.operations.rules import rules_of
from billing.providers import Disputed
from kpplatform.tenancy.scope import current_tenant

Kind, Bearer = Account.Kind, Dispute.Bearer


def hold_missing(dispute: Dispute, order: Order, at: datetime) -> None:
    """Take what is disputed, and not held yet, from those who got it, as far as it has not been given back."""
    if order.paid_at is None:
        return
    lines = list(order.lines.select_related("order__viewer", "item", "product", "creator").order_by("pk"))
    for line, amount in assigned(Money(dispute.amount - dispute.held, dispute.currency), lines):
        _held(dispute, line, amount, at)
    ask_receivers(order)


def assigned(amount: Money, lines: Sequence[OrderLine]) -> list[tuple[OrderLine, Money]]:
    """Return how much of which line is disputed: a provider tells an amount only.

    What is exactly what is left of one line is about that line; anything else about all of them, pro rata of what is
    left of them, and at most that.
    """
    left = [Money(line.left, amount.currency) for line in lines]
    amount = min(amount, Money(sum(money.minor for money in left), amount.currency))
    if not amount:
        return []
    exact = [line for line, money in zip(lines, left, strict=True) if money == amount]
    if len(exact) == 1:
        return [(exact[0], amount)]
    parts = zip(lines, amount.apportion(left), strict=True)
    return [(line, money) for line, money in parts if money]


def _held(dispute: Dispute, line: OrderLine, amount: Money, at: datetime) -> None:
    taken = [[there for part in parts for there in _there(*part)] for parts in taken_of(line, amount)]
    tax, processor, platform, *shares = (sum(money.minor for _, money in parts) for parts in taken)
    account, number = ledger.dispute(amount.currency), DisputePart.objects.filter(dispute=dispute).count()
    part = DisputePart(dispute=dispute, line=line, amount=amount.minor, currency=amount.currency, held_at=at)
    part.tax, part.processor, part.platform, part.share = tax, processor, platform, sum(shares)
    part.journal = ledger.post(
        kind=Journal.Kind.DISPUTE_HELD,
        key=f"dispute-held:{dispute.pk}:{number}",
        transfers=[(name, account, money) for parts in taken for name, money in parts],
        at=at,
    )
    crash_here("after_dispute_held")
    part.save()
    line.disputed += amount.minor
    line.save(update_fields=["disputed"])
    dispute.held += amount.minor


def _there(name: ledger.Name, money: Money) -> list[tuple[ledger.Name, Money]]:
    """Return from where an amount comes: what was prepaid may have been spent, which is the platform's loss."""
    if name.kind not in {Kind.COINS, Kind.ADVERTISER}:
        return [(name, money)]
    there = min(ledger.held(name), money)
    return [(name, there), (ledger.fees(money.currency), money - there)]


def release(dispute: Dispute, at: datetime) -> None:
    """Give back what was held, to the unit, to whom it was taken from; what had matured is theirs at once."""
    parts = dispute.parts.filter(released=None)
    for part in parts.select_related("line__order__viewer", "journal").order_by("pk"):
        part.released = ledger.post(
            kind=Journal.Kind.DISPUTE_RELEASED,
            key=f"dispute-released:{part.pk}",
            transfers=handed_back(ledger.reversal(part.journal)),
            at=at,
        )
        part.save(update_fields=["released"])
        part.line.disputed -= part.amount
        part.line.save(update_fields=["disputed"])
        matures_again(part.line, at)
        dispute.held -= part.amount


def withdraw(dispute: Dispute, said: Disputed, at: datetime) -> None:
    """Book that the provider took the money, and its fee: out of what is the platform's, or of those who got it."""
    fee = said.fee or Money(0, dispute.currency)
    bearers = _bearers(dispute, fee)
    dispute.fee, dispute.fee_currency = fee.minor, fee.currency
    dispute.fee_by = Bearer.CREATOR if bearers else Bearer.PLATFORM
    costs = [(name, money) for owner, part in bearers for name, money in recovered(owner, part, unmatured=part * 0)]
    costs = costs or [(ledger.fees(fee.currency), fee)]
    away = (ledger.dispute(dispute.currency), ledger.clearing(dispute.currency), dispute.money)
    dispute.withdrawn = ledger.post(
        kind=Journal.Kind.DISPUTE_WITHDRAWN,
        key=f"dispute-withdrawn:{dispute.pk}",
        transfers=[away, *((name, ledger.processor(fee.currency), money) for name, money in costs)],
        at=at,
    )
    dispute.withdrawn_at = at


def reinstate(dispute: Dispute, said: Disputed, at: datetime) -> None:
    """Book that the provider gave the money back, and of its fee what it gave back, to those who had borne it."""
    fee = min(said.fee_back or Money(0, dispute.fee_currency), Money(dispute.fee, dispute.fee_currency))
    back = (ledger.clearing(dispute.currency), ledger.dispute(dispute.currency), dispute.money)
    dispute.reinstated = ledger.post(
        kind=Journal.Kind.DISPUTE_REINSTATED,
        key=f"dispute-reinstated:{dispute.pk}",
        transfers=[back, *_fee_back(dispute, fee)],
        at=at,
    )
    dispute.fee_back, dispute.reinstated_at = fee.minor, at


def _bearers(dispute: Dispute, fee: Money) -> list[tuple[ledger.Name, Money]]:
    """Return who bears which part of the fee, if it is those who got the money: as much as was held from each.

    What was decided for us before we heard of it was never held: then as much as each got by the sale.
    """
    if not fee or fee.currency != dispute.currency or rules_of(current_tenant()).dispute_fee_by != Bearer.CREATOR:
        return []
    got = _creators(part.journal for part in dispute.parts.select_related("journal").order_by("pk"))
    sold = dispute.payment.journal
    got = got or _creators([sold] if sold else [], by="credit")
    shared = fee.split(*got.values()) if got else ()
    return [(ledger.creators(Kind.PENDING, who, fee.currency), part) for who, part in zip(got, shared, strict=True)]


def _fee_back(dispute: Dispute, fee: Money) -> list[Moved]:
    processor = ledger.processor(fee.currency)
    bore = _creators([dispute.withdrawn] if dispute.withdrawn else [])
    if not bore or not fee:
        return [(processor, ledger.fees(fee.currency), fee)]
    owners = [ledger.creators(Kind.PENDING, who, fee.currency) for who in bore]
    parts = zip(owners, fee.split(*bore.values()), strict=True)
    return [moved for owner, part in parts for moved in credited(processor, owner, part)]


def _creators(journals: Iterable[Journal], *, by: str = "debit") -> dict[int, int]:
    """Return how much these journals took from which creator, or gave by `credit`."""
    moved: dict[int, int] = {}
    for journal in journals:
        theirs = journal.transfers.filter(**{f"{by}__creator__isnull": False}).order_by("pk")
        for owner, amount in theirs.values_list(f"{by}__creator", "amount"):
            moved[owner] = moved.get(owner, 0) + amount
    return moved
