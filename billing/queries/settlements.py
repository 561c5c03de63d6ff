"""Statements, to be read; what is in them line by line; and questions about them, for `verify_ledger`."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from billing.models import Settlement, SettlementPeriod
from kpplatform.tenancy.models import Member

ROWS = 2_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Which journals belong to a period: those of its cut that were not in the one before. Said so that an index finds them.
CUT = """
    j.seq <= %(head)s AND j.at < %(ends)s AND (j.seq > %(before_head)s OR j.at >= %(before_ends)s)"""
# A movement is what comes from or goes to others: what moves between a creator's own accounts is none.
ENDS = """
    SELECT j.id AS journal_id, j.seq, j.at, j.kind, j.key, t.id, t.currency, c.creator_id, c.kind AS account,
           t.amount, d.creator_id IS DISTINCT FROM c.creator_id AS is_movement
    FROM billing_transfer t
    JOIN billing_journal j ON j.id = t.journal_id
    JOIN billing_account c ON c.id = t.credit_id
    JOIN billing_account d ON d.id = t.debit_id
    WHERE c.creator_id IS NOT NULL
    UNION ALL
    SELECT j.id, j.seq, j.at, j.kind, j.key, t.id, t.currency, d.creator_id, d.kind, -t.amount,
           d.creator_id IS DISTINCT FROM c.creator_id
    FROM billing_transfer t
    JOIN billing_journal j ON j.id = t.journal_id
    JOIN billing_account c ON c.id = t.credit_id
    JOIN billing_account d ON d.id = t.debit_id
    WHERE d.creator_id IS NOT NULL"""
# What of a sale or a refund it is, where the whole journal is of one kind.
KINDS = """
    SELECT journal_id, CASE WHEN min(kind) = max(kind) THEN min(kind) END AS sold FROM (
        SELECT p.journal_id, l.kind FROM billing_payment p JOIN billing_orderline l ON l.order_id = p.order_id
        WHERE p.journal_id IS NOT NULL
        UNION ALL
        SELECT r.journal_id, l.kind FROM billing_refund r JOIN billing_orderline l ON l.id = r.line_id
        UNION ALL
        SELECT unnest(ARRAY[d.journal_id, d.released_id]), l.kind
        FROM billing_disputepart d JOIN billing_orderline l ON l.id = d.line_id
    ) sold GROUP BY journal_id"""
# The same of the journals that are named in `entries`, however many others there are.
KINDS_OF_ENTRIES = """
    SELECT journal_id, CASE WHEN min(kind) = max(kind) THEN min(kind) END AS sold FROM (
        SELECT p.journal_id, l.kind FROM (SELECT DISTINCT journal_id FROM entries) e
        JOIN billing_payment p ON p.journal_id = e.journal_id
        JOIN billing_orderline l ON l.order_id = p.order_id
        UNION ALL
        SELECT r.journal_id, l.kind FROM (SELECT DISTINCT journal_id FROM entries) e
        JOIN billing_refund r ON r.journal_id = e.journal_id
        JOIN billing_orderline l ON l.id = r.line_id
        UNION ALL
        SELECT e.journal_id, l.kind
        FROM billing_disputepart d CROSS JOIN LATERAL (VALUES (d.journal_id), (d.released_id)) j (id)
        JOIN (SELECT DISTINCT journal_id FROM entries) e ON e.journal_id = j.id
        JOIN billing_orderline l ON l.id = d.line_id
    ) sold GROUP BY journal_id"""
ENTRIES = f"""
    SELECT j.journal_id, j.at, j.seq, j.kind, j.key, j.account, j.amount FROM ({ENDS}) j
    WHERE j.is_movement AND j.creator_id = %(creator)s AND j.currency = %(currency)s AND {CUT}
    ORDER BY j.seq, j.id"""  # noqa: S608  only our own words
# The same of some journals: a statement asks so batch by batch, and its first lines need not wait for the last.
KINDS_OF_SOME = """
    SELECT journal_id, CASE WHEN min(kind) = max(kind) THEN min(kind) END FROM (
        SELECT p.journal_id, l.kind FROM billing_payment p
        JOIN billing_orderline l ON l.order_id = p.order_id WHERE p.journal_id = ANY(%(journals)s)
        UNION ALL
        SELECT r.journal_id, l.kind FROM billing_refund r
        JOIN billing_orderline l ON l.id = r.line_id WHERE r.journal_id = ANY(%(journals)s)
        UNION ALL
        SELECT j.id, l.kind
        FROM billing_disputepart d CROSS JOIN LATERAL (VALUES (d.journal_id), (d.released_id)) j (id)
        JOIN billing_orderline l ON l.id = d.line_id WHERE j.id = ANY(%(journals)s)
    ) sold (journal_id, kind) GROUP BY journal_id"""
OF_SALES = ("sale", "refund", "dispute_held", "dispute_released")  # journals that say which kind of thing was sold
# All ends at creators' accounts of a period, in one pass over its transfers.
ALL_ENDS = f"""
    SELECT j.id AS journal_id, j.kind, t.currency, e.creator_id, e.account, e.amount,
           c.creator_id IS DISTINCT FROM d.creator_id AS is_movement
    FROM billing_journal j
    JOIN billing_transfer t ON t.journal_id = j.id
    JOIN billing_account c ON c.id = t.credit_id
    JOIN billing_account d ON d.id = t.debit_id
    CROSS JOIN LATERAL (
        VALUES (c.creator_id, c.kind, t.amount), (d.creator_id, d.kind, -t.amount)
    ) e (creator_id, account, amount)
    WHERE e.creator_id IS NOT NULL AND {CUT}"""  # noqa: S608


@dataclass(frozen=True)
class Entry:
    """One movement of a creator's money: when, in which journal, out of or into which account."""

    at: datetime
    seq: int
    kind: str
    key: str
    account: str
    amount: int


def settlements_seen_by(member: Member) -> QuerySet[Settlement]:
    """Return the statements of the member's own creator, newest first; all of them for the tenant's staff."""
    rows = Settlement.objects.select_related("period", "creator").prefetch_related("lines").order_by("-pk")
    return rows if member.runs_the_tenant else rows.filter(creator__member=member)


def cut_of(period: SettlementPeriod) -> dict[str, Any]:
    """Return where a period and the one before it end, in time and in the chain."""
    before = SettlementPeriod.objects.filter(starts_on__lt=period.starts_on).order_by("-starts_on").first()
    return {
        "head": period.head_seq,
        "ends": period.ends_at,
        "before_head": before.head_seq if before else 0,
        "before_ends": before.ends_at if before else EPOCH,
    }


def entries_of(settlement: Settlement) -> Iterator[Entry]:
    """Yield a statement's movements in the order in which they were booked, through a cursor on the server."""
    asked = {"creator": settlement.creator_id, "currency": settlement.currency, **cut_of(settlement.period)}
    with connection.cursor() as other, connection.chunked_cursor() as cursor:
        other.execute("SET LOCAL cursor_tuple_fraction = 1")  # all of it will be read
        cursor.execute(ENTRIES, asked)
        while rows := cursor.fetchmany(ROWS):
            other.execute(KINDS_OF_SOME, {"journals": [row[0] for row in rows if row[3] in OF_SALES]})
            sold = dict(other.fetchall())
            for journal, at, seq, kind, *more in rows:
                yield Entry(at, seq, f"{kind}:{of}" if (of := sold.get(journal)) else kind, *more)


# The first period to which an entry belongs.
PERIOD_OF = """
    SELECT p.id FROM billing_settlementperiod p WHERE e.seq <= p.head_seq AND e.at < p.ends_at
    ORDER BY p.starts_on LIMIT 1"""
SUMS = """
    coalesce(sum(e.amount) FILTER (WHERE e.is_movement), 0) AS movements,
    coalesce(sum(e.amount) FILTER (WHERE e.account = 'pending'), 0) AS pending,
    coalesce(sum(e.amount) FILTER (WHERE e.account = 'available'), 0) AS available,
    coalesce(sum(e.amount) FILTER (WHERE e.account = 'reserve'), 0) AS reserve,
    coalesce(sum(e.amount) FILTER (WHERE e.account = 'in_transit'), 0) AS in_transit,
    coalesce(sum(e.amount) FILTER (WHERE e.account = 'clawback'), 0) AS debt"""
# Each returns the table, the row and what is wrong with it.
QUESTIONS = (
    (
        "L10",
        """
        SELECT 'settlement', s.id, format('opens with %%s, but %%s was left', s.opening, coalesce(b.closing, 0))
        FROM billing_settlement s
        JOIN billing_settlementperiod p ON p.id = s.period_id
        LEFT JOIN LATERAL (
            SELECT e.id FROM billing_settlementperiod e WHERE e.starts_on < p.starts_on
            ORDER BY e.starts_on DESC LIMIT 1
        ) e ON true
        LEFT JOIN billing_settlement b
             ON b.period_id = e.id AND b.creator_id = s.creator_id AND b.currency = s.currency
        WHERE s.opening <> coalesce(b.closing, 0) ORDER BY s.id LIMIT %(most)s""",
    ),
    (
        "L10",
        """
        SELECT 'settlement', s.id, format('its lines sum to %%s', coalesce(l.amount, 0))
        FROM billing_settlement s
        LEFT JOIN (
            SELECT settlement_id, sum(amount) AS amount FROM billing_settlementline GROUP BY 1
        ) l ON l.settlement_id = s.id
        WHERE s.movements <> coalesce(l.amount, 0) OR s.closing <> s.opening + s.movements
        ORDER BY s.id LIMIT %(most)s""",
    ),
    (
        "L10",
        f"""
        SELECT 'settlement', coalesce(s.id, 0), format('moves %%s, but the ledger %%s, or elsewhere',
                                                       s.movements, coalesce(m.movements, 0))
        FROM (
            SELECT p.id AS period_id, e.creator_id, e.currency, {SUMS}
            FROM ({ENDS}) e
            JOIN LATERAL ({PERIOD_OF}) p ON true
            GROUP BY 1, 2, 3
        ) m
        FULL JOIN (
            SELECT s.id, s.period_id, s.creator_id, s.currency, s.movements,
                   s.pending - coalesce(b.pending, 0) AS pending, s.available - coalesce(b.available, 0) AS available,
                   s.reserve - coalesce(b.reserve, 0) AS reserve, s.debt - coalesce(b.debt, 0) AS debt,
                   s.in_transit - coalesce(b.in_transit, 0) AS in_transit
            FROM billing_settlement s
            JOIN billing_settlementperiod p ON p.id = s.period_id
            LEFT JOIN LATERAL (
                SELECT e.id FROM billing_settlementperiod e WHERE e.starts_on < p.starts_on
                ORDER BY e.starts_on DESC LIMIT 1
            ) e ON true
            LEFT JOIN billing_settlement b
                 ON b.period_id = e.id AND b.creator_id = s.creator_id AND b.currency = s.currency
        ) s ON s.period_id = m.period_id AND s.creator_id = m.creator_id AND s.currency = m.currency
        WHERE (coalesce(s.movements, 0), coalesce(s.pending, 0), coalesce(s.available, 0), coalesce(s.reserve, 0),
               coalesce(s.in_transit, 0), coalesce(s.debt, 0))
              <> (coalesce(m.movements, 0), coalesce(m.pending, 0), coalesce(m.available, 0), coalesce(m.reserve, 0),
                  coalesce(m.in_transit, 0), coalesce(m.debt, 0))
        ORDER BY 2 LIMIT %(most)s""",  # noqa: S608
    ),
    (
        "L10",
        """
        SELECT 'settlement', b.id, format('left %%s, of which the month after says nothing', b.closing)
        FROM billing_settlement b
        JOIN billing_settlementperiod p ON p.id = b.period_id
        JOIN LATERAL (
            SELECT n.id FROM billing_settlementperiod n WHERE n.starts_on > p.starts_on ORDER BY n.starts_on LIMIT 1
        ) n ON true
        LEFT JOIN billing_settlement s
             ON s.period_id = n.id AND s.creator_id = b.creator_id AND s.currency = b.currency
        WHERE s.id IS NULL
              AND (b.closing, b.pending, b.available, b.reserve, b.in_transit, b.debt) <> (0, 0, 0, 0, 0, 0)
        ORDER BY b.id LIMIT %(most)s""",
    ),
    (
        "L10",
        f"""
        SELECT 'settlement', coalesce(l.settlement_id, 0),
               format('%%s: %%s of %%s in all, but the ledger has %%s of %%s', coalesce(l.kind, m.kind), l.count,
                      l.amount, m.count, m.amount)
        FROM (
            SELECT p.id AS period_id, e.creator_id, e.currency, concat_ws(':', e.kind, k.sold) AS kind,
                   count(*) AS count, sum(e.amount) AS amount
            FROM ({ENDS}) e
            JOIN LATERAL ({PERIOD_OF}) p ON true
            LEFT JOIN ({KINDS}) k ON k.journal_id = e.journal_id
            WHERE e.is_movement GROUP BY 1, 2, 3, 4
        ) m
        FULL JOIN (
            SELECT l.settlement_id, s.period_id, s.creator_id, s.currency, l.kind, l.count, l.amount
            FROM billing_settlementline l JOIN billing_settlement s ON s.id = l.settlement_id
        ) l ON l.period_id = m.period_id AND l.creator_id = m.creator_id AND l.currency = m.currency
            AND l.kind = m.kind
        WHERE (l.count, l.amount) IS DISTINCT FROM (m.count, m.amount) ORDER BY 2 LIMIT %(most)s""",  # noqa: S608
    ),
    (
        "L10",
        """
        SELECT 'period', p.id, 'was closed on another chain'
        FROM billing_settlementperiod p
        LEFT JOIN billing_journal j ON j.tenant_id = p.tenant_id AND j.seq = p.head_seq
        WHERE p.head_seq > 0 AND p.head_link IS DISTINCT FROM j.link ORDER BY p.id LIMIT %(most)s""",
    ),
)
