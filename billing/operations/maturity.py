"""Maturity: when buyers can no longer ask for their money back, what creators have earned becomes theirs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from billing import ledger
from billing.models import Account, Journal, LineShare, Maturity, Order, OrderLine
from billing.money import Money
from billing.operations.crash import crash_here
from billing.operations.earnings import Moved, credited, matured_before, of, taken_before
from billing.operations.rules import Rules, rules_of
from kpplatform.tenancy.scope import current_tenant

BATCH = 500
Kind = Account.Kind


@dataclass(frozen=True)
class Due:
    """A creator's part of a line, as far as it has neither matured nor been given back."""

    line: OrderLine
    owner: ledger.Name
    money: Money


@transaction.atomic
def mature(*, at: datetime, most: int = BATCH) -> int:
    """Make theirs what creators have earned with so many lines whose time has come, and say with how many.

    It is one journal. What was given back in the meantime does not mature; debts are repaid first.
    """
    lines = _held(at, most)
    if not lines:
        return 0
    dues, rules = _dues(lines), rules_of(current_tenant())
    owed = {of(due.owner, Kind.CLAWBACK) for due in dues}
    debts = {name: -balance for name, balance in ledger.held_all(sorted(owed, key=str)).items()}
    rows = [_matured(due, debts, rules, at) for due in dues]
    if rows:
        # Of the first part that matures, not of the first line: a line of which nothing was left may come again.
        first = rows[0].line_id
        number = Maturity.objects.filter(line=first).count()
        journal = ledger.post(
            kind=Journal.Kind.MATURITY,
            key=f"matured:{first}:{number}",
            transfers=[moved for row, due in zip(rows, dues, strict=True) for moved in _moved(row, due.owner)],
            at=at,
        )
        for row in rows:
            row.journal = journal
        Maturity.objects.bulk_create(rows)
    crash_here("after_maturity")
    OrderLine.objects.filter(pk__in=[line.pk for line in lines]).update(matures_at=None)
    return len(lines)


def _held(at: datetime, most: int) -> list[OrderLine]:
    """Return the lines whose time has come; their orders are held, so that nothing of them is refunded meanwhile."""
    due = OrderLine.objects.filter(matures_at__lte=at)
    found = dict(due.order_by("matures_at", "pk").values_list("pk", "order_id")[:most])
    list(Order.objects.select_for_update(no_key=True).filter(pk__in=set(found.values())).order_by("pk"))
    return list(due.filter(pk__in=found).select_related("order").order_by("pk"))


def _dues(lines: Sequence[OrderLine]) -> list[Due]:
    keys = [line.pk for line in lines]
    taken, matured = taken_before(keys), matured_before(keys)
    shares: dict[int, list[tuple[int, int]]] = {}
    for line_id, creator, amount in (
        LineShare.objects.filter(line__in=keys).order_by("pk").values_list("line_id", "creator_id", "amount")
    ):
        shares.setdefault(line_id, []).append((creator, amount))
    dues = []
    for line in lines:
        whole = [(line.creator_id, line.share)] if line.creator_id else []
        for creator, amount in shares.get(line.pk, whole):
            owner = ledger.creators(Kind.PENDING, creator, line.order.currency)
            left = amount - matured.get((line.pk, creator), 0) - taken.get((line.pk, str(owner)), 0)
            if left:
                dues.append(Due(line, owner, Money(left, line.order.currency)))
    return dues


def _matured(due: Due, debts: dict[ledger.Name, Money], rules: Rules, at: datetime) -> Maturity:
    """Return what becomes of a part: the debt is counted down."""
    debt = of(due.owner, Kind.CLAWBACK)
    repaid = min(debts[debt], due.money)
    debts[debt] -= repaid
    reserved = rules.reserved_of(due.money - repaid)
    return Maturity(
        line=due.line,
        creator_id=due.owner.creator_id or 0,
        currency=due.money.currency,
        amount=due.money.minor,
        repaid=repaid.minor,
        reserved=reserved.minor,
        releases_at=at + rules.reserved_for if reserved else None,
    )


def _moved(row: Maturity, owner: ledger.Name) -> list[Moved]:
    left = row.amount - row.repaid - row.reserved
    parts = ((Kind.CLAWBACK, row.repaid), (Kind.RESERVE, row.reserved), (Kind.AVAILABLE, left))
    return [(owner, of(owner, kind), Money(minor, row.currency)) for kind, minor in parts]


@transaction.atomic
def release_reserves(*, at: datetime, most: int = BATCH) -> int:
    """Release what was held back of so many parts long enough, and say of how many.

    What refunds have taken out of a reserve is not released a second time.
    """
    held = Maturity.objects.select_for_update(no_key=True).filter(releases_at__lte=at)
    rows = list(held.order_by("releases_at", "pk")[:most])
    if not rows:
        return 0
    due: dict[ledger.Name, Money] = {}
    for row in rows:
        name = ledger.creators(Kind.RESERVE, row.creator_id, row.currency)
        due[name] = due.get(name, Money(0, row.currency)) + Money(row.reserved, row.currency)
    there = ledger.held_all(sorted(due, key=str))
    moved = [part for name, money in due.items() for part in credited(name, name, min(money, there[name]))]
    if any(money for _, _, money in moved):
        ledger.post(kind=Journal.Kind.RESERVE, key=f"release:{rows[0].pk}", transfers=moved, at=at)
    Maturity.objects.filter(pk__in=[row.pk for row in rows]).update(releases_at=None)
    return len(rows)
