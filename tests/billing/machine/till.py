"""The till: sells, hears from the provider (also twice, late, and what is not true), refunds, lets earnings mature.

Beside it a model of a few integers says what the ledger must hold. What else the house does is in the other files.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any, ClassVar

from django.db import connection, transaction
from hypothesis import strategies as some
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from billing import ledger, operations
from billing.models import Account, Order, Refund, WebhookEvent
from billing.providers.sandbox.book import Row
from billing.providers.sandbox.server import Server
from catalog.queries import watchable_by
from kpplatform.errors import Refused
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.billing.shop import body_of, line_of, payment_of, told, yuan
from tests.conftest import NOON

numbers = count()
MOST_SALES = 3


@dataclass
class Sold:
    """What the model knows of an order."""

    order: Order
    price: int
    is_paid: bool = False
    refunds: dict[int, str] = field(default_factory=dict)  # refund → its state
    amounts: dict[int, int] = field(default_factory=dict)  # refund → its amount
    creator: int = 0  # who sells nothing else
    share: int = 0

    def refunded(self, *states: str) -> int:
        return sum(self.amounts[pk] for pk, state in self.refunds.items() if state in states)


@dataclass(frozen=True, eq=False)
class Heard:
    """A message that was stored, and what it should do when it is worked through."""

    event: WebhookEvent
    sold: Sold
    kind: str
    refund: int


@contextmanager
def refusals(*codes: str) -> Iterator[None]:
    """Do what is right in some states only: in the others there is a clear no, one of these."""
    try:
        yield
    except Refused as no:
        if no.code not in codes:
            raise


class Till(RuleBasedStateMachine):
    """What is sold are courses, each by a creator of its own."""

    sandbox: ClassVar[Server]
    sales = Bundle("sales")
    events = Bundle("events")

    @initialize()
    def open(self) -> None:
        self.stack = ExitStack()
        self.stack.enter_context(transaction.atomic())
        self.tenant = make.tenant(f"till-{next(numbers)}")
        self.tenant.settings = {"tax_bps": 600, "reserve_bps": 500, "payout_thresholds": {"CNY": 1}}
        self.stack.enter_context(scope(self.tenant))
        self.viewer, self.staff = make.member(), make.member(Member.Role.STAFF)
        self.now: datetime = NOON
        self.sold: list[Sold] = []
        self.waiting: list[Heard] = []
        self.furnish()

    def furnish(self) -> None:
        """Bring in what other parts of the house need."""

    def elsewhere(self) -> int:
        """Return what the provider has of us beside the sales of courses, less what it has given away for us."""
        return 0

    def paid_out(self, _creator: int) -> int:
        """Return what has left for a creator."""
        return 0

    def disputed(self, _sold: Sold) -> int:
        """Return what is held of a sale, for it is disputed."""
        return 0

    def lost(self, _sold: Sold) -> int:
        """Return what the buyer of a sale has back by disputes."""
        return 0

    def teardown(self) -> None:
        connection.check_constraints()
        transaction.set_rollback(True)
        self.stack.close()

    @precondition(lambda self: len(self.sold) < MOST_SALES)
    @rule(
        target=sales,
        price=some.integers(1, 300),
        off=some.sampled_from([0, 0, 1, 3_333, 9_999]),
        pays=some.sampled_from([True, True, False]),
    )
    def sell(self, price: int, off: int, pays: bool) -> Sold:  # noqa: FBT001  drawn
        course, key = shop.course_for(price), f"{len(self.sold)}"
        coupon = shop.coupon(course.creator, bps=off).code if off else ""
        wanted = [operations.Wanted(item=course)]
        order = operations.order_all(viewer=self.viewer, wanted=wanted, coupon=coupon, key=key, at=self.now)
        sold = Sold(order, price - price * off // 10_000, creator=course.creator_id)
        sold.share = line_of(order).share
        self.sold.append(sold)
        if pays:
            self._work(self._store(told(payment_of(sold.order)), sold, "captured"))
        return sold

    @rule(target=events, sold=sales, kind=some.sampled_from(["captured", "captured", "captured", "declined", "lie"]))
    def hear(self, sold: Sold, kind: str) -> Heard:
        changed: dict[str, Any] = {"amount": sold.price + 1} if kind == "lie" else {}
        name = "payment.captured" if kind == "lie" else f"payment.{kind}"
        return self._store(told(payment_of(sold.order), name, **changed), sold, kind)

    @precondition(lambda self: any(sold.refunds for sold in self.sold))
    @rule(target=events, kind=some.sampled_from(["sent", "failed"]), at_once=some.booleans(), data=some.data())
    def hear_of_refund(self, kind: str, at_once: bool, data: some.DataObject) -> Heard:  # noqa: FBT001  drawn
        sold, pk = data.draw(some.sampled_from([(sold, pk) for sold in self.sold for pk in sorted(sold.refunds)]))
        refund = Refund.objects.get(pk=pk)
        about = {"id": f"rf_{pk}", "key": refund.key, "amount": refund.amount}
        name = "refund.succeeded" if kind == "sent" else "refund.failed"
        heard = self._store(told(payment_of(sold.order), name, **about), sold, kind, refund=pk)
        if at_once:
            self._work(heard)
        return heard

    def _store(self, message: Row, sold: Sold, kind: str, refund: int = 0) -> Heard:
        event = operations.receive_event(provider="sandbox", event_id=message["id"], body=body_of(message), at=self.now)
        self.waiting.append(heard := Heard(event, sold, kind, refund))
        return heard

    @precondition(lambda self: self.waiting)
    @rule(data=some.data())
    def work(self, data: some.DataObject) -> None:
        self._work(data.draw(some.sampled_from(self.waiting)))

    def _work(self, heard: Heard) -> None:
        self.waiting.remove(heard)
        if heard.kind == "captured":
            heard.sold.is_paid = True
        elif heard.refund and heard.sold.refunds[heard.refund] == "asked":
            heard.sold.refunds[heard.refund] = heard.kind
        self.work_again(heard)

    @rule(heard=events)
    def work_again(self, heard: Heard) -> None:
        if heard not in self.waiting:
            operations.apply_event(event=heard.event, at=self.now)

    @rule(sold=sales, part=some.integers(1, 300) | some.none(), key=some.integers(0, 5))
    def refund(self, sold: Sold, part: int | None, key: int) -> None:
        try:
            given = operations.refund(
                line=line_of(sold.order),
                by=self.staff,
                amount=yuan(part) if part else None,
                key=f"{key}",
                at=self.now,
            )
        except Refused as no:
            self._must_be_right(sold, part, no)
            return
        sold.refunds.setdefault(given.pk, "asked")
        sold.amounts[given.pk] = given.amount

    @rule()
    def mature(self) -> None:
        operations.mature(at=self.now + timedelta(days=7))
        assert not any(account.balance for account in Account.objects.filter(kind="pending"))

    def _must_be_right(self, sold: Sold, part: int | None, no: Refused) -> None:
        left = sold.price - sold.refunded("asked", "sent") - self.disputed(sold)
        assert not sold.is_paid or (part or 1) > left or no.code == "refund_key_taken"

    @invariant()
    def the_ledger_holds_what_the_model_says(self) -> None:
        captured = sum(sold.price for sold in self.sold if sold.is_paid)
        sent = sum(sold.refunded("sent") for sold in self.sold)
        asked = sum(sold.refunded("asked") for sold in self.sold)
        assert ledger.clearing("CNY").balance.minor == sent - captured - self.elsewhere()
        assert ledger.refund_clearing("CNY").balance.minor == asked

    @invariant()
    def creators_have_what_they_earned_and_owe_before_they_have(self) -> None:
        accounts = Account.objects.filter(creator__isnull=False).values_list("creator_id", "kind", "credits", "debits")
        has = {(creator, kind): plus - minus for creator, kind, plus, minus in accounts}
        standing = Refund.objects.exclude(state="failed").values_list("line__order_id", "share")
        for sold in self.sold:
            back = sum(share for order, share in standing if order == sold.order.pk)
            theirs = {kind: minor for (creator, kind), minor in has.items() if creator == sold.creator}
            assert sum(theirs.values()) == sold.is_paid * sold.share - back - self.paid_out(sold.creator)
            assert theirs.get("clawback", 0) <= 0
            assert not theirs.get("clawback") or not theirs["available"]

    @invariant()
    def every_refund_is_where_the_model_says(self) -> None:
        modelled = {pk: state for sold in self.sold for pk, state in sold.refunds.items()}
        ours = Refund.objects.filter(line__order__in=[sold.order for sold in self.sold])
        assert dict(ours.values_list("pk", "state")) == modelled

    @invariant()
    def who_has_paid_and_not_got_all_back_may_watch(self) -> None:
        may_watch = set(watchable_by(self.viewer, at=self.now).values_list("pk", flat=True))
        for sold in self.sold:
            keeps = sold.is_paid and sold.refunded("asked", "sent") + self.lost(sold) < sold.price
            assert (line_of(sold.order).item_id in may_watch) == keeps

    @invariant()
    def the_books_are_good(self) -> None:
        assert shop.books_are_good()
