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
# Which journals belong to a period: those of its cut that were not in the one before.
CUT = """
    j.seq <= %(head)s AND j.at < %(ends)s AND NOT (j.seq <= %(before_head)s AND j.at < %(before_ends)s)"""
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
    ) sold GROUP BY journal_id"""
ENTRIES = f"""
    SELECT e.at, e.seq, concat_ws(':', e.kind, k.sold) AS kind, e.key, e.account, e.amount
    FROM ({ENDS}) e
    JOIN billing_journal j ON j.id = e.journal_id
    LEFT JOIN ({KINDS}) k ON k.journal_id = e.journal_id
    WHERE e.is_movement AND e.creator_id = %(creator)s AND e.currency = %(currency)s AND {CUT}
    ORDER BY e.seq, e.id"""  # noqa: S608  only our own words


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
    with connection.chunked_cursor() as cursor:
        cursor.execute(ENTRIES, asked)
        while rows := cursor.fetchmany(ROWS):
            yield from (Entry(*row) for row in rows)


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
        SELECT 'settlement', coalesce(s.id, 0), format('moves %%s, but the ledger %%s', s.movements,
                                                       coalesce(m.amount, 0))
        FROM (
            SELECT p.id AS period_id, e.creator_id, e.currency, sum(e.amount) AS amount
            FROM ({ENDS}) e
            JOIN LATERAL (
                SELECT p.id FROM billing_settlementperiod p WHERE e.seq <= p.head_seq AND e.at < p.ends_at
                ORDER BY p.starts_on LIMIT 1
            ) p ON true
            WHERE e.is_movement GROUP BY 1, 2, 3
        ) m
        FULL JOIN billing_settlement s
             ON s.period_id = m.period_id AND s.creator_id = m.creator_id AND s.currency = m.currency
        WHERE coalesce(s.movements, 0) <> coalesce(m.amount, 0) ORDER BY 2 LIMIT %(most)s""",  # noqa: S608
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
