"""What creators earn on other platforms: booked apart, channel by channel, and never paid out here."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from billing import ledger, queries
from billing.models import Channel, Journal, OutsideIncome, OutsideStatement
from billing.money import Money
from billing.operations.earnings import Moved
from billing.operations.outside_rows import BadStatement, Row, Told, bad_line, rows_of, told
from billing.operations.rates import BadRate, Rated, rates_of, set_rates
from creators.models import Creator
from kpplatform.errors import Conflict, Forbidden, Invalid
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant_id

__all__ = [
    "BadRate",
    "BadStatement",
    "NotYourChannel",
    "Rated",
    "ReasonNeeded",
    "Row",
    "ToldAgain",
    "add_channel",
    "import_statement",
    "rates_of",
    "rows_of",
    "set_rates",
    "withdraw_statement",
]

# What was earned by currency: paid for it, given back, kept by the platform, and given back of that.
Sums = dict[str, Counter[str]]


class NotYourChannel(Forbidden):
    code = "not_your_channel"


class ReasonNeeded(Invalid):
    code = "reason_needed"


class ToldAgain(Conflict):
    code = "told_again"


@transaction.atomic
def add_channel(*, creator: Creator, by: Member, platform: str, name: str, at: datetime) -> Channel:
    """Note a creator's account at another platform: their own, or by staff. Again it is once. Raises NotYourChannel."""
    _must_be_own(creator, by)
    noted, _ = Channel.objects.get_or_create(
        creator=creator, platform=platform, name=name.strip(), defaults={"made_by": by, "made_at": at}
    )
    return noted


def import_statement(*, channel: Channel, by: Member, rows: Iterable[Row], at: datetime) -> OutsideStatement:
    """Book what another platform tells of a channel: all of it, or nothing. The same rows are the same statement.

    A row whose reference another statement has told is a duplicate, and is not booked. The rows are read to their end
    before anything is written. Raises NotYourChannel, and BadStatement with the first bad line.
    """
    _must_be_own(channel.creator, by)
    with told(rows, today=queries.latest_day(at)) as statement:
        return _booked(channel=channel, by=by, statement=statement, at=at)


@transaction.atomic
def _booked(*, channel: Channel, by: Member, statement: Told, at: datetime) -> OutsideStatement:
    """Book a statement that was read to its end. Raises BadStatement for a reference that it tells twice."""
    _one_at_a_time(channel)
    same = {"channel": channel, "digest": statement.digest}
    if done := OutsideStatement.objects.filter(**same, withdrawn_at=None).first():
        return done
    days = {"rows": statement.count, "since": statement.since, "until": statement.until}
    made = OutsideStatement.objects.create(**same, **days, by=by, made_at=at)
    sums: Sums = {}
    for some in statement.batches():
        for row in _kept(made, some):
            if row.is_counted:
                _add(sums, row)
            else:
                made.duplicates += 1
                made.differing += row.differs
    if transfers := _transfers(channel, sums):  # last, for it holds the chain's head
        kind, key = Journal.Kind.OUTSIDE, f"outside:{made.pk}"
        made.journal = ledger.post(kind=kind, key=key, transfers=transfers, at=at)
    made.save(update_fields=["duplicates", "differing", "journal"])
    return made


@transaction.atomic
def withdraw_statement(*, statement: OutsideStatement, by: Member, why: str, at: datetime) -> OutsideStatement:
    """Book a statement back, so that another may tell its references. Again it is once.

    Raises NotYourChannel, ReasonNeeded, and ToldAgain while a later one rests on it: what that told again would count
    nowhere.
    """
    channel = statement.channel
    _must_be_own(channel.creator, by)
    _one_at_a_time(channel)
    statement = OutsideStatement.objects.select_for_update(no_key=True).get(pk=statement.pk)
    if statement.withdrawn_at:
        return statement
    if not (why := why.strip()[:200]):
        raise ReasonNeeded("Say why.")
    again = OutsideIncome.objects.filter(duplicate_of__statement=statement, statement__withdrawn_at=None)
    if later := again.order_by("-statement_id").first():
        raise ToldAgain(f"Statement {later.statement_id} tells some of this again: withdraw that first.")
    OutsideIncome.objects.filter(statement=statement, is_counted=True).update(is_counted=False)
    if statement.journal:
        kind, key = Journal.Kind.OUTSIDE_BACK, f"outside-back:{statement.pk}"
        back = ledger.reversal(statement.journal)
        statement.withdrawal = ledger.post(kind=kind, key=key, transfers=back, at=at)
    statement.withdrawn_by, statement.withdrawn_at, statement.reason = by, at, why
    statement.save(update_fields=["withdrawn_by", "withdrawn_at", "reason", "withdrawal"])
    return statement


def _must_be_own(creator: Creator, by: Member) -> None:
    if creator.member_id != by.pk and not by.runs_the_tenant:
        raise NotYourChannel("What is earned elsewhere is told by its creator, or by staff.")


def _one_at_a_time(channel: Channel) -> None:
    """Have two statements of a channel booked one after the other, so that the later one knows what the other told."""
    with connection.cursor() as cursor:
        name = f"outside {current_tenant_id()} {channel.pk}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def _kept(statement: OutsideStatement, some: Sequence[Row]) -> list[OutsideIncome]:
    """Write rows down, each as counted or as a duplicate of what another statement told.

    Raises BadStatement for one whose reference stands in this statement before.
    """
    counts = Q(is_counted=True) | Q(statement=statement)
    there = OutsideIncome.objects.filter(counts, channel=statement.channel, reference__in=[r.reference for r in some])
    before: dict[str, OutsideIncome] = {}
    own: dict[str, int] = {}
    for old in there:
        if old.statement_id == statement.pk:
            own[old.reference] = old.line
        else:
            before[old.reference] = old
    kept = []
    for row in some:
        if (line := own.setdefault(row.reference, row.line)) != row.line:
            raise bad_line(row.line, f"its reference stands in line {line} already")
        twin = before.get(row.reference)
        columns = {**vars(row), "duplicate_of": twin, "is_counted": twin is None}
        kept.append(OutsideIncome(statement=statement, channel=statement.channel, **columns))
    return OutsideIncome.objects.bulk_create(kept)


def _add(sums: Sums, row: OutsideIncome) -> None:
    of = sums.setdefault(row.currency, Counter())
    of["paid" if row.gross > 0 else "returned"] += abs(row.gross)
    of["kept" if row.fee > 0 else "given_back"] += abs(row.fee)


def _transfers(channel: Channel, sums: Sums) -> list[Moved]:
    """Return what moves between a channel's accounts; nothing of it touches another account."""
    moved: list[Moved] = []
    for currency, of in sorted(sums.items()):
        there, income = ledger.outside(channel, currency), ledger.outside_income(channel, currency)
        fees = ledger.outside_fees(channel, currency)
        ways = {
            "paid": (there, income),
            "returned": (income, there),
            "kept": (fees, there),
            "given_back": (there, fees),
        }
        moved += [(*way, Money(of[what], currency)) for what, way in ways.items() if of[what]]
    return moved
