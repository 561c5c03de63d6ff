"""What a creator earns, here and elsewhere, by platform and kind: in each currency, and in one of them."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Sum

from billing.models import ExchangeRate, Journal, OutsideIncome
from billing.queries.rates import Rates, exactly, rounded
from billing.queries.settlements import KINDS_OF_ENTRIES
from creators.models import Creator
from kpplatform.tenancy.scope import current_tenant

HERE = "here"  # the platform that this tenant is
Kind = Journal.Kind
# Which journals make or unmake income; payouts, divisions and tax withheld only move what was earned.
EARNING = [
    *(Kind.SALE, Kind.REFUND, Kind.REFUND_FAILED, Kind.TIP, Kind.GIFT, Kind.GIFT_BACK, Kind.POOL_SHARE, Kind.AD_SHARE),
    Kind.AD_CREDIT,
    *(Kind.DISPUTE_HELD, Kind.DISPUTE_WITHDRAWN, Kind.DISPUTE_REINSTATED, Kind.DISPUTE_RELEASED),
]
EARNED = f"""
    WITH entries AS MATERIALIZED (
        SELECT j.id AS journal_id, j.kind, (j.at AT TIME ZONE %(zone)s)::date AS day, t.currency, e.amount, e.creator_id
        FROM billing_journal j
        JOIN billing_transfer t ON t.journal_id = j.id
        JOIN billing_account c ON c.id = t.credit_id
        JOIN billing_account d ON d.id = t.debit_id
        CROSS JOIN LATERAL (VALUES (c.creator_id, t.amount), (d.creator_id, -t.amount)) e (creator_id, amount)
        WHERE j.at >= %(begins)s AND j.at < %(ends)s AND j.kind = ANY(%(kinds)s)
              AND e.creator_id IS NOT NULL AND c.creator_id IS DISTINCT FROM d.creator_id
              AND (%(creator)s::bigint IS NULL OR e.creator_id = %(creator)s)
              -- the same said so that, of one creator, only their own transfers are read
              AND (%(creator)s::bigint IS NULL
                   OR t.credit_id = ANY(ARRAY(SELECT id FROM billing_account WHERE creator_id = %(creator)s))
                   OR t.debit_id = ANY(ARRAY(SELECT id FROM billing_account WHERE creator_id = %(creator)s)))
    ), earned AS (
        SELECT concat_ws(':', e.kind, k.sold) AS kind, e.currency, e.day, e.creator_id, e.amount
        FROM entries e LEFT JOIN ({KINDS_OF_ENTRIES}) k ON k.journal_id = e.journal_id
    )"""  # noqa: S608  only our own words
OWN = f"""{EARNED}
    SELECT kind, currency, day, sum(amount)::bigint FROM earned GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""  # noqa: S608
Days = dict[date, tuple[int, int]]  # gross and fee of each


@dataclass
class Amounts:
    """What was paid, and what of it a platform has kept, in minor units of one currency."""

    gross: int = 0
    fee: int = 0

    @property
    def net(self) -> int:
        return self.gross - self.fee


@dataclass
class Earned:
    """What was earned at a platform with one kind of thing in one currency.

    `into` is what of it could be converted, `left` what could not, for want of a rate.
    """

    platform: str
    kind: str
    currency: str
    all: Amounts
    into: Amounts
    left: Amounts


@dataclass
class Used:
    """A rate that was used, and for which days: later ones than its own when there was none of their own."""

    rate: ExchangeRate
    since: date
    until: date


@dataclass
class Income:
    """A creator's income of some days, the last one included; everybody's without a creator."""

    since: date
    until: date
    currency: str
    lines: list[Earned] = field(default_factory=list)
    rates: list[Used] = field(default_factory=list)

    @property
    def total(self) -> int:
        """What was earned in all, of what could be converted: the sum of what the lines say."""
        return sum(line.into.net for line in self.lines)

    @property
    def unconverted(self) -> dict[str, int]:
        """What was earned in currencies that nobody has told a rate of: not a part of the total."""
        left: dict[str, int] = {}
        for line in self.lines:
            if (line.left.gross, line.left.fee) != (0, 0):
                left[line.currency] = left.get(line.currency, 0) + line.left.net
        return left


def income_of(*, creator: Creator | None, since: date, until: date) -> Income:
    """Return what a creator has earned from a day until another, here and elsewhere; without a creator, what all have.

    Here it is what was booked for the creator, after tax and fees. An amount of a day is converted at the rate of that
    day, else the last one before it, and rounded once, as a whole line.
    """
    days: dict[tuple[str, str, str], Days] = defaultdict(dict)
    for kind, currency, day, amount in _here(creator, since, until):
        days[HERE, kind, currency][day] = amount, 0
    for platform, kind, currency, day, gross, fee in _elsewhere(creator, since, until):
        days[platform, kind, currency][day] = gross, fee
    told = Income(since, until, current_tenant().currency)
    rates = Rates({currency for *_, currency in days}, told.currency, since=since, until=until)
    used: dict[int, Used] = {}
    told.lines = [_earned(what, days[what], rates, used) for what in sorted(days)]
    told.rates = sorted(used.values(), key=lambda of: (of.rate.base, of.rate.day))
    return told


def _earned(what: tuple[str, str, str], days: Days, rates: Rates, used: dict[int, Used]) -> Earned:
    """Add up a line, and note which rates it was converted at."""
    platform, kind, currency = what
    whole, left = Amounts(), Amounts()
    gross_into = fee_into = Fraction(0)
    for day, (gross, fee) in days.items():
        whole.gross, whole.fee = whole.gross + gross, whole.fee + fee
        rate = rates.on(currency, day)
        if rate is None and currency != rates.into:
            left.gross, left.fee = left.gross + gross, left.fee + fee
            continue
        worth = rate.rate if rate else None
        gross_into += exactly(gross, currency, rates.into, worth)
        fee_into += exactly(fee, currency, rates.into, worth)
        if rate:
            of = used.setdefault(rate.pk, Used(rate, day, day))
            of.since, of.until = min(of.since, day), max(of.until, day)
    return Earned(platform, kind, currency, whole, Amounts(rounded(gross_into), rounded(fee_into)), left)


def _here(creator: Creator | None, since: date, until: date) -> list[tuple[str, str, date, int]]:
    """Return kind, currency, day and amount of what the ledger has for creators, by the tenant's days."""
    zone = ZoneInfo(current_tenant().time_zone)
    after = until + timedelta(days=1)
    asked: dict[str, Any] = {
        "begins": datetime(since.year, since.month, since.day, tzinfo=zone),
        "ends": datetime(after.year, after.month, after.day, tzinfo=zone),
        "zone": current_tenant().time_zone,
        "kinds": [str(kind) for kind in EARNING],
        "creator": creator.pk if creator else None,
    }
    with connection.cursor() as cursor:
        cursor.execute(OWN, asked)
        return list(cursor.fetchall())


def _elsewhere(creator: Creator | None, since: date, until: date) -> list[tuple[str, str, str, date, int, int]]:
    """Return platform, kind, currency, day, gross and fee of what counts of statements."""
    rows = OutsideIncome.objects.filter(is_counted=True, day__gte=since, day__lte=until)
    if creator:
        rows = rows.filter(channel__creator=creator)
    of = ("channel__platform", "kind", "currency", "day")
    return list(rows.order_by(*of).values_list(*of).annotate(Sum("gross"), Sum("fee")))
