"""Creators who are to be paid, and what is done to pay them. Call inside a scope."""

from datetime import date, timedelta

from billing import operations, queries
from billing.models import Payout, PayoutAccount, PayoutHold
from billing.operations import paying
from billing.providers import Destination
from billing.providers.sandbox.server import Server
from catalog.models import Item
from creators.models import Creator
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant
from tests import make
from tests.billing.shop import bought, yuan
from tests.conftest import NOON

LATER = NOON + timedelta(days=7)
BANK = Destination(holder="张三", number="6222020200112233", bank="ICBC")
SANDBOX, BANK_FILE = PayoutAccount.Rail.SANDBOX, PayoutAccount.Rail.BANK_FILE


def earner(course: Item, rail: str = SANDBOX, sales: int = 2) -> Creator:
    """Return a creator who has 178.80 yuan to be paid out, and said where."""
    creator: Creator = course.creator
    for n in range(sales):
        bought(make.member(), course, key=f"{n}")
    operations.mature(at=LATER)
    paying.set_payout_account(creator=creator, by=creator.member, currency="CNY", rail=rail, to=BANK, at=LATER)
    return creator


def draft(creator: Creator, minor: int | None = 10_000, by: Member | None = None, key: str = "payout") -> Payout:
    amount = None if minor is None else yuan(minor)
    by = by or creator.member
    return paying.draft_payout(creator=creator, by=by, currency="CNY", amount=amount, key=key, at=LATER)


def staff() -> Member:
    return make.member(Member.Role.STAFF)


def approved(creator: Creator, minor: int = 10_000, key: str = "payout") -> Payout:
    return paying.approve_payout(payout=draft(creator, minor, key=key), by=staff(), at=LATER)


def sent(payout: Payout) -> Payout:
    """Do what the job does, in one transaction."""
    if paying.begin_payout(payout=payout, at=LATER):
        paying.send_payout(payout=payout, at=LATER)
    return now(payout)


def now(payout: Payout) -> Payout:
    return Payout.objects.get(pk=payout.pk)


def resolved(payout: Payout) -> Payout:
    paying.resolve_payout(payout=payout, at=LATER)
    return now(payout)


def paid_by(sandbox: Server) -> list[int]:
    return [row["amount"] for row in sandbox.bank.book.tables["payouts"].values()]


def hold(creator: Creator) -> PayoutHold:
    told = {"reason": "tax", "expected_on": date(2026, 6, 1), "required_action": "Send us the form."}
    return paying.place_hold(creator=creator, by=staff(), at=LATER, **told)  # type: ignore[arg-type]


def found() -> set[tuple[str, str]]:
    return {(fault.promise, fault.table) for fault in queries.ledger_report().faults}


def paid_out(creator: Creator, *, by: Member) -> None:
    """Leave a payout in a file for the bank, and a hold."""
    paying.set_payout_account(creator=creator, by=by, currency="CNY", rail=BANK_FILE, to=BANK, at=LATER)
    current_tenant().settings["payout_thresholds"] = {"CNY": 1}
    payout = draft(creator, None, by=by)
    paying.approve_payout(payout=payout, by=by, at=LATER)
    paying.make_batch(by=by, currency="CNY", at=LATER)
    why, what, when = PayoutHold.Reason.TAX, "Send us the form.", LATER + timedelta(days=1)
    told = {"reason": why, "required_action": what}
    paying.place_hold(creator=creator, by=by, expected_on=LATER.date(), at=when, **told)
