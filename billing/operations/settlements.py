"""Closing a month: the pool is shared among creators, and each gets a statement that never changes."""

from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Sum

from billing import ledger
from billing.models import Account, ChainHead, Journal, SettlementPeriod
from billing.money import Money
from billing.operations.crash import crash_here
from billing.operations.earnings import Moved, of
from billing.queries import tenants_time, tenants_zone
from billing.queries.settlements import ALL_ENDS, KINDS_OF_ENTRIES, cut_of
from catalog.models import Watch
from kpplatform.errors import Conflict
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import current_tenant_id

Kind = Account.Kind
SETTLE = f"""
    WITH entries AS MATERIALIZED ({ALL_ENDS}),
    ends AS MATERIALIZED (
        SELECT e.creator_id, e.currency, concat_ws(':', e.kind, k.sold) AS kind, e.account, e.is_movement,
               count(*) AS count, sum(e.amount)::bigint AS amount
        FROM entries e
        LEFT JOIN ({KINDS_OF_ENTRIES}) k ON k.journal_id = e.journal_id
        GROUP BY 1, 2, 3, 4, 5
    ),
    moved AS (
        SELECT creator_id, currency, coalesce(sum(amount) FILTER (WHERE is_movement), 0)::bigint AS movements,
               coalesce(sum(amount) FILTER (WHERE account = 'pending'), 0)::bigint AS pending,
               coalesce(sum(amount) FILTER (WHERE account = 'available'), 0)::bigint AS available,
               coalesce(sum(amount) FILTER (WHERE account = 'reserve'), 0)::bigint AS reserve,
               coalesce(sum(amount) FILTER (WHERE account = 'in_transit'), 0)::bigint AS in_transit,
               coalesce(sum(amount) FILTER (WHERE account = 'clawback'), 0)::bigint AS debt
        FROM ends GROUP BY 1, 2
    ),
    before AS (
        SELECT s.* FROM billing_settlement s JOIN billing_settlementperiod p ON p.id = s.period_id
        WHERE p.starts_on = (
            SELECT max(starts_on) FROM billing_settlementperiod WHERE starts_on < %(starts)s
        ) AND (s.closing, s.pending, s.available, s.reserve, s.in_transit, s.debt) <> (0, 0, 0, 0, 0, 0)
    ),
    made AS (
        INSERT INTO billing_settlement (tenant_id, period_id, creator_id, currency, opening, movements, closing,
                                        pending, available, reserve, in_transit, debt)
        SELECT %(tenant)s, %(period)s, creator_id, currency, coalesce(b.closing, 0), coalesce(m.movements, 0),
               coalesce(b.closing, 0) + coalesce(m.movements, 0), coalesce(b.pending, 0) + coalesce(m.pending, 0),
               coalesce(b.available, 0) + coalesce(m.available, 0), coalesce(b.reserve, 0) + coalesce(m.reserve, 0),
               coalesce(b.in_transit, 0) + coalesce(m.in_transit, 0), coalesce(b.debt, 0) + coalesce(m.debt, 0)
        FROM moved m FULL JOIN before b USING (creator_id, currency)
        ORDER BY creator_id, currency
        RETURNING id, creator_id, currency
    )
    INSERT INTO billing_settlementline (tenant_id, settlement_id, kind, count, amount)
    SELECT %(tenant)s, s.id, e.kind, sum(e.count), sum(e.amount)
    FROM made s JOIN ends e USING (creator_id, currency)
    WHERE e.is_movement GROUP BY s.id, e.kind ORDER BY s.id, e.kind"""  # noqa: S608  only our own words


class MonthNotOver(Conflict):
    code = "month_not_over"


class MonthMissing(Conflict):
    code = "month_missing"


class NothingBooked(Conflict):
    code = "nothing_booked"


@transaction.atomic
def settle(*, month: date, at: datetime) -> SettlementPeriod:
    """Share the month's pool, and issue a statement to each creator: once; asked again, it is the same period.

    What is booked from now on, whenever it happened, belongs to later months. Raises MonthNotOver, NothingBooked for a
    month before the first journal, and MonthMissing when an earlier month is to be settled first.
    """
    starts_on = month.replace(day=1)
    _hold_months()
    if settled := SettlementPeriod.objects.filter(starts_on=starts_on).first():
        return settled
    _must_be_next(starts_on, at)
    share_pool(starts_on)
    # All up to the head is there to stay, so that sales need not wait while the statements are written.
    head = ChainHead.objects.first()
    period = SettlementPeriod.objects.create(
        starts_on=starts_on,
        ends_at=bounds(starts_on)[1],
        head_seq=head.seq if head else 0,
        head_link=bytes(head.link) if head else b"",
        issued_at=at,
    )
    asked = {"tenant": current_tenant_id(), "period": period.pk, "starts": starts_on, **cut_of(period)}
    with connection.cursor() as cursor:
        cursor.execute(SETTLE, asked)
    crash_here("after_settlement")
    return period


@transaction.atomic
def share_next(*, at: datetime) -> None:
    """Share the pool of the next month that is over: a transaction of its own, for sales wait until it ends."""
    _hold_months()
    if month := _next_over(at):
        share_pool(month)


def settle_all(*, at: datetime) -> SettlementPeriod | None:
    """Settle the next month that is over, and return it; None when there is none."""
    month = _next_over(at)
    return settle(month=month, at=at) if month else None


def _next_over(at: datetime) -> date | None:
    last, this = SettlementPeriod.objects.order_by("-starts_on").first(), _month_of(at)
    month = next_month(last.starts_on) if last else (this - timedelta(days=1)).replace(day=1)
    return month if month < this else None


def _hold_months() -> None:
    """Let nobody else close a month of this tenant before the end of the transaction."""
    Tenant.objects.select_for_update(no_key=True).get(pk=current_tenant_id())


def _must_be_next(month: date, at: datetime) -> None:
    """Raise unless this is the month that is to be closed now."""
    this = _month_of(at)
    if month >= this:
        raise MonthNotOver(f"{month:%Y-%m} is not over.")
    last = SettlementPeriod.objects.order_by("-starts_on").first()
    if last and next_month(last.starts_on) != month:
        raise MonthMissing(f"{next_month(last.starts_on):%Y-%m} is to be settled next.")
    first = Journal.objects.order_by("at", "pk").first()
    if last is None and month < min(_month_of(first.at if first else at), this - timedelta(days=1)).replace(day=1):
        raise NothingBooked(f"Nothing had been booked by the end of {month:%Y-%m}.")


def _month_of(at: datetime) -> date:
    """Return the month that it is where the tenant is."""
    return tenants_time(at).date().replace(day=1)


def share_pool(month: date) -> None:
    """Divide what members have paid among creators by the time that was watched of theirs; the last unit goes too.

    Once in a month. What was shared before and given back to members since is repaid first. When nothing was watched,
    it waits for the next month.
    """
    begins, ends = bounds(month)
    if last := SettlementPeriod.objects.order_by("-starts_on").first():
        begins = last.ends_at  # should the tenant have moved since, no hour is missed or counted twice
    watched = Watch.objects.filter(quarantine="", started_at__gte=begins, started_at__lt=ends, watch_ms__gt=0)
    rows = watched.values_list("item__creator").annotate(Sum("watch_ms")).order_by("item__creator")
    weights = dict(rows)
    for account in Account.objects.filter(kind=Kind.POOL).order_by("pk"):
        pool, owed = ledger.pool(account.currency), ledger.pool_debt(account.currency)
        key = f"pool:{month:%Y-%m}:{account.currency}"
        if not pool.balance or not (weights or owed.balance) or Journal.objects.filter(key=key).exists():
            continue  # and nobody is kept waiting
        held = ledger.held_all([pool, owed])
        repaid = min(-held[owed], held[pool])
        moved = [(pool, owed, repaid), *_shared(pool, held[pool] - repaid, weights)]
        if any(money for _, _, money in moved):
            last_moment = ends - timedelta(microseconds=1)
            ledger.post(kind=Journal.Kind.POOL_SHARE, key=key, transfers=moved, at=last_moment)


def _shared(pool: ledger.Name, there: Money, weights: dict[int, int]) -> list[Moved]:
    """Return the transfers that divide what is there among creators by their weights, debts first."""
    if not there or not weights:
        return []
    owners = [ledger.creators(Kind.AVAILABLE, creator, pool.currency) for creator in weights]
    debts = ledger.held_all([of(owner, Kind.CLAWBACK) for owner in owners])
    moved: list[Moved] = []
    for owner, share in zip(owners, there.split(*weights.values()), strict=True):
        debt = of(owner, Kind.CLAWBACK)
        repaid = min(-debts[debt], share)
        moved += [(pool, debt, repaid), (pool, owner, share - repaid)]
    return moved


def bounds(month: date) -> tuple[datetime, datetime]:
    """Return when a month begins and ends where the tenant is."""
    zone = tenants_zone()
    first, after = month.replace(day=1), next_month(month)
    return (
        datetime(first.year, first.month, 1, tzinfo=zone),
        datetime(after.year, after.month, 1, tzinfo=zone),
    )


def next_month(month: date) -> date:
    """Return the first day of the month after."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)
