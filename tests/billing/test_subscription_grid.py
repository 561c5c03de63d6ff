"""A grid of histories with time travel: intervals × anchors × changes × failures × refunds, and the books after each.

Each history: join; perhaps change the plan on the eleventh day; come to the end of the period, where the charge goes
well or not; perhaps give the last paid period back; come to the end of the period after that. What must come out is
worked out beside, from the calendar and a few integers.
"""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import product
from math import floor

import pytest

from billing import ledger, operations
from billing.models import Charge, Order, Subscription
from billing.providers.sandbox.server import Server
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing import members, shop
from tests.billing.members import DAY, decline, may_watch, now, saved_method, travel
from tests.billing.shop import yuan
from tests.catalog import things

pytestmark = pytest.mark.usefixtures("in_school")
MONTHS = {"month": 1, "year": 12}
PRICE, DEARER, CHEAPER = 3_001, 12_007, 1_003
STARTS = [datetime(*day, 4, tzinfo=UTC) for day in ((2026, 1, 15), (2026, 1, 31), (2024, 2, 29))]
GRACE, LAST_DAY = 7 * DAY, 21 * DAY


def later(start: datetime, months: int, day: int) -> datetime:
    """Return the anchor day so many months later, or the last of that month."""
    month = start.month - 1 + months
    year, month = start.year + month // 12, month % 12 + 1
    return start.replace(year=year, month=month, day=min(day, monthrange(year, month)[1]))


class History:
    """What should become of it, step by step."""

    def __init__(self, start: datetime, interval: str) -> None:
        self.months, self.day, self.price = MONTHS[interval], start.day, PRICE
        self.start, self.end, self.paid = start, later(start, MONTHS[interval], start.day), [PRICE]
        self.state = "active"

    def upgrade(self, at: datetime) -> None:
        unit = timedelta(microseconds=1)
        left = Fraction((self.end - at) // unit, (self.end - self.start) // unit)
        self.paid.append(DEARER - floor(PRICE * left))
        self.start, self.day, self.price = at, at.day, DEARER
        self.end = later(at, self.months, at.day)

    def renew(self) -> None:
        self.start, self.end = self.end, later(self.end, self.months, self.day)
        self.paid.append(self.price)


FAILURES = ["none", "once", "twice", "new card", "never paid", "lost answer"]
# Every other history ends with a refund: each kind of change, failure and day meets both.
GRID = [
    pytest.param(*told, (number + number // len(FAILURES)) % 2 == 1, id="-".join([f"{told[0]:%d%b}", *told[1:]]))
    for number, told in enumerate(product(STARTS, ["month", "year"], ["none", "upgrade", "downgrade"], FAILURES))
]


@pytest.mark.parametrize(("start", "interval", "change", "failure", "gives_back"), GRID)
def test_a_history_ends_as_worked_out(
    sandbox: Server,
    start: datetime,
    interval: str,
    change: str,
    failure: str,
    gives_back: bool,  # noqa: FBT001  a parameter
) -> None:
    creator, viewer = things.creator(make.member(Member.Role.CREATOR)), make.member()
    course = things.course(creator, published_at=STARTS[-1])
    club = members.plan(creator, PRICE, interval=interval)
    of = members.joined(sandbox, viewer, club, at=start)
    should = History(start, interval)

    change_plan(of, change, should, start + 10 * DAY, interval)
    fail(sandbox, of, failure, should)
    if gives_back:
        given_back(viewer, should, at=now(of).starts_at + 22 * DAY)
    if should.state == "active":
        assert may_watch(viewer, course, should.start + 23 * DAY) == (not gives_back)
        travel(should.end)
        should.renew()
        assert may_watch(viewer, course, should.start)
    travel(should.end - DAY)

    of = now(of)
    assert (of.state, of.starts_at, of.ends_at, of.anchor) == (should.state, should.start, should.end, should.day)
    assert ledger.clearing("CNY").balance == yuan(-sum(should.paid))
    until = should.end + GRACE
    assert may_watch(viewer, course, until - DAY) == (should.state == "active" or not gives_back)
    assert not may_watch(viewer, course, until)
    assert Order.objects.exclude(state="placed").count() == len(should.paid)
    assert shop.books_are_good()


def change_plan(of: Subscription, change: str, should: History, at: datetime, interval: str) -> None:
    ask = {"subscription": of, "by": of.viewer, "at": at}
    if change == "upgrade":
        operations.upgrade_now(**ask, plan=members.other_plan(of.plan, DEARER, interval))
        travel(at)
        should.upgrade(at)
    elif change == "downgrade":
        operations.downgrade_at_period_end(**ask, plan=members.other_plan(of.plan, CHEAPER, interval))
        should.price = CHEAPER


def fail(sandbox: Server, of: Subscription, failure: str, should: History) -> None:
    """Come to the end of the period, three weeks beyond, and let the charge go well or not."""
    charges = Charge.objects.count()
    if failure in {"once", "twice", "never paid"}:
        decline(sandbox, "soft", times={"once": 1, "twice": 2}.get(failure, 9))
    elif failure == "new card":
        decline(sandbox, "hard")
    elif failure == "lost answer":
        shop.fault(sandbox, members.CHARGES, "fail_after_commit")
    travel(should.end + 3 * DAY)
    if failure == "new card":
        assert now(of).state == "past_due"
        at = should.end + 3 * DAY
        method = saved_method(sandbox, of.viewer, at=at)
        operations.change_method(subscription=of, by=of.viewer, method=method, at=at)
    travel(should.end + LAST_DAY)
    tries = {"once": 2, "twice": 3, "new card": 2, "never paid": 5}.get(failure, 1)
    assert Charge.objects.count() == charges + tries
    if failure == "never paid":
        should.state = "expired"
    else:
        should.renew()


def given_back(viewer: Member, should: History, at: datetime) -> None:
    """Give the last paid period back, all of it."""
    order = Order.objects.filter(viewer=viewer, state="paid").latest("pk")
    refund = operations.refund(
        line=shop.line_of(order), by=make.member(Member.Role.STAFF), amount=None, key="back", at=at
    )
    assert refund.amount == should.paid[-1]
    operations.settle_refund(refund=refund, reference="rf", at=at)
    should.paid[-1] = 0
