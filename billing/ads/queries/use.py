"""What advertisers used in a month, from the ledger: the months are those of creators' statements."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet, Sum

from billing.ads.models import Charge, Credit, UseStatement
from billing.models import SettlementPeriod
from billing.queries.settlements import CUT, cut_of
from kpplatform.tenancy.models import Member

# What of a journal comes to or goes from an advertiser. Setting aside and giving free is none.
ENTRIES = """
    SELECT j.id AS journal_id, j.seq, j.at, j.kind, j.key, t.currency, e.member_id, sum(e.amount)::bigint AS amount
    FROM billing_journal j
    JOIN billing_transfer t ON t.journal_id = j.id
    JOIN billing_account c ON c.id = t.credit_id
    JOIN billing_account d ON d.id = t.debit_id
    CROSS JOIN LATERAL (VALUES (c.member_id, c.kind, t.amount), (d.member_id, d.kind, -t.amount)) e
        (member_id, kind, amount)
    WHERE e.kind IN ('advertiser', 'ad_budget') AND {which}
    GROUP BY j.id, t.currency, e.member_id HAVING sum(e.amount) <> 0"""
UP_TO = ENTRIES.format(which="j.seq <= %(head)s AND j.at < %(ends)s")
MONTH = f"""
    SELECT j.member_id, j.currency, {CUT} AS is_now, j.kind, count(*), sum(j.amount)::bigint
    FROM ({UP_TO}) j GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"""  # noqa: S608  only our own words
OF_ONE = f"""
    SELECT j.at, j.seq, j.kind, j.key, j.amount FROM ({ENTRIES.format(which=CUT)}) j
    WHERE j.member_id = %(member)s AND j.currency = %(currency)s ORDER BY j.seq"""  # noqa: S608


@dataclass
class Month:
    """An advertiser's month in one currency: count and amount of each kind."""

    opening: int
    kinds: dict[str, tuple[int, int]]

    @property
    def movements(self) -> int:
        return sum(amount for _, amount in self.kinds.values())


@dataclass(frozen=True)
class UseEntry:
    """One movement: above zero it is the advertiser's."""

    at: datetime
    seq: int
    kind: str
    key: str
    amount: int


def months_of(period: SettlementPeriod) -> dict[tuple[int, str], Month]:
    """Return each advertiser's month, by member and currency; none for who had and moved nothing."""
    found: dict[tuple[int, str], Month] = {}
    with connection.cursor() as cursor:
        cursor.execute(MONTH, cut_of(period))
        for member, currency, is_now, kind, count, amount in cursor.fetchall():
            month = found.setdefault((member, currency), Month(0, {}))
            if is_now:
                month.kinds[kind] = (count, amount)
            else:
                month.opening += amount
    return {key: month for key, month in found.items() if month.kinds or month.opening}


def use_of_campaigns(period: SettlementPeriod) -> dict[tuple[int, str], dict[int, tuple[int, int, int]]]:
    """Return what was charged, the tax in it and what was credited, by member and currency and then by campaign."""
    found: dict[tuple[int, str], dict[int, list[int]]] = {}
    charges = _within(Charge.objects.all(), period).values_list(
        "flight__campaign__advertiser__member", "currency", "flight__campaign"
    )
    back = _within(Credit.objects.all(), period).values_list("advertiser__member", "currency", "campaign")
    for member, currency, campaign, amount, tax in charges.annotate(Sum("amount"), Sum("tax")).order_by():
        found.setdefault((member, currency), {}).setdefault(campaign, [0, 0, 0])[:2] = [amount, tax]
    for member, currency, campaign, amount in back.annotate(Sum("amount")).order_by():
        found.setdefault((member, currency), {}).setdefault(campaign, [0, 0, 0])[2] = amount
    return {key: {of: (use[0], use[1], use[2]) for of, use in by.items()} for key, by in found.items()}


def _within(rows: QuerySet[Any], period: SettlementPeriod) -> QuerySet[Any]:
    """Return the rows whose journal belongs to the period."""
    cut = cut_of(period)
    late = Q(journal__seq__gt=cut["before_head"]) | Q(journal__at__gte=cut["before_ends"])
    return rows.filter(late, journal__seq__lte=cut["head"], journal__at__lt=cut["ends"])


def use_entries(statement: UseStatement) -> Iterator[UseEntry]:
    """Yield each movement of a statement, in the order in which they were booked."""
    asked = {"member": statement.advertiser.member_id, "currency": statement.currency, **cut_of(statement.period)}
    with connection.cursor() as cursor:
        cursor.execute(OF_ONE, asked)
        yield from (UseEntry(*row) for row in cursor.fetchall())


def use_statements_seen_by(member: Member) -> QuerySet[UseStatement]:
    """Return the statements of use: all to staff, to others their own; the newest first."""
    rows = UseStatement.objects.select_related("period", "advertiser").prefetch_related("lines", "campaigns__campaign")
    rows = rows if member.runs_the_tenant else rows.filter(advertiser__member=member)
    return rows.order_by("-pk")
