"""A creator's money: from where a refund takes it, and where it goes when it becomes theirs."""

from collections.abc import Iterable, Sequence

from django.db.models import Sum

from billing import ledger
from billing.models import Account, DisputePart, Maturity, OrderLine, Refund, Transfer
from billing.money import Money

Kind = Account.Kind
Moved = tuple[ledger.Name, ledger.Name, Money]


def places(owner: ledger.Name) -> list[ledger.Name]:
    """Return out of which accounts a part of a refund may come, given the account that the part went to."""
    if owner.creator_id:
        return [of(owner, kind) for kind in (Kind.PENDING, Kind.AVAILABLE, Kind.RESERVE, Kind.CLAWBACK)]
    return [owner, ledger.pool_debt(owner.currency)] if owner.kind == Kind.POOL else [owner]


def recovered_from_pool(pool: ledger.Name, money: Money) -> list[tuple[ledger.Name, Money]]:
    """Return from where the pool's part of a refund comes: what was shared already is owed by what comes in next."""
    part = min(money, ledger.held(pool))
    return [(pool, part), (ledger.pool_debt(pool.currency), money - part)]


def recovered(owner: ledger.Name, money: Money, *, unmatured: Money) -> list[tuple[ledger.Name, Money]]:
    """Return from where a creator's part of a refund comes, given the account that it went to.

    First what of this sale has not matured, then what could be paid out, then what is held back; what is then missing
    becomes a debt.
    """
    taken, left = [(owner, min(money, unmatured))], money - min(money, unmatured)
    for kind in (Kind.AVAILABLE, Kind.RESERVE):
        if left:
            name = of(owner, kind)
            part = min(left, ledger.held(name))
            taken.append((name, part))
            left -= part
    return [*taken, (of(owner, Kind.CLAWBACK), left)]


def credited(source: ledger.Name, owner: ledger.Name, money: Money) -> list[Moved]:
    """Return the transfers that make an amount a creator's: what they owe is repaid first."""
    debt = of(owner, Kind.CLAWBACK)
    repaid = min(-ledger.held(debt), money)
    return [(source, debt, repaid), (source, of(owner, Kind.AVAILABLE), money - repaid)]


def of(owner: ledger.Name, kind: Account.Kind) -> ledger.Name:
    """Return another account of the same creator."""
    assert owner.creator_id is not None
    return ledger.creators(kind, owner.creator_id, owner.currency)


def handed_back(transfers: Sequence[Moved]) -> list[Moved]:
    """Return a refund's or a dispute's transfers turned round: what had matured or was shared is credited anew."""
    kept: list[Moved] = []
    matured: dict[tuple[ledger.Name, ledger.Name], Money] = {}
    for source, name, money in transfers:
        if name.kind in {Kind.AVAILABLE, Kind.RESERVE, Kind.CLAWBACK}:
            owner = of(name, Kind.PENDING)
            matured[source, owner] = matured.get((source, owner), Money(0, money.currency)) + money
        elif name.kind == Kind.POOL_DEBT:
            repaid = min(-ledger.held(name), money)
            kept += [(source, name, repaid), (source, ledger.pool(name.currency), money - repaid)]
        else:
            kept.append((source, name, money))
    return [*kept, *(moved for (source, owner), money in matured.items() for moved in credited(source, owner, money))]


def taken_before(lines: Iterable[int]) -> dict[tuple[int, str], int]:
    """Return what standing refunds and disputes took out of each account, by line and account's name."""
    lines = list(lines)
    refunds = Refund.objects.filter(line__in=lines).exclude(state=Refund.State.FAILED)
    disputed = DisputePart.objects.filter(line__in=lines, released=None)
    line_of = dict(refunds.values_list("journal_id", "line_id")) | dict(disputed.values_list("journal_id", "line_id"))
    posted = Transfer.objects.filter(journal__in=line_of).values_list("journal_id", "debit__name")
    taken: dict[tuple[int, str], int] = {}
    for journal, name, amount in posted.annotate(Sum("amount")).order_by("journal_id", "debit__name"):
        place = (line_of[journal], name)
        taken[place] = taken.get(place, 0) + amount
    return taken


def matured_before(lines: Iterable[int]) -> dict[tuple[int, int], int]:
    """Return what has matured, by line and creator."""
    rows = Maturity.objects.filter(line__in=list(lines)).values_list("line_id", "creator_id")
    return {(line, creator): amount for line, creator, amount in rows.annotate(Sum("amount")).order_by()}


def unmatured(line: OrderLine, owner: ledger.Name, share: Money, taken: dict[tuple[int, str], int]) -> Money:
    """Return how much of a creator's part of the line lies in their pending account."""
    matured = matured_before([line.pk]).get((line.pk, owner.creator_id or 0), 0)
    return Money(share.minor - matured - taken.get((line.pk, str(owner)), 0), share.currency)
