"""Memberships: joined, tried, changed, renewed by a clock that jumps, declined, paid back."""

from collections import Counter
from datetime import timedelta

from django.db.models import F, Max, QuerySet, Sum
from hypothesis import strategies as some
from hypothesis.stateful import invariant, precondition, rule

from billing import operations
from billing.models import Account, Charge, OrderLine, Payment, Period, Refund, Subscription
from billing.providers.sandbox.book import Row
from billing.providers.sandbox.faults import Fault, Kind
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing import members, shop
from tests.billing.machine.till import Till, numbers, refusals
from tests.billing.members import CHARGES, DAY, may_watch, saved_method, tick
from tests.billing.shop import yuan
from tests.catalog import things

GRACE = 7 * DAY
FAULTS = [None, None, None, Kind.DECLINE_SOFT, Kind.DECLINE_HARD, Kind.FAIL_AFTER_COMMIT, Kind.TOO_MANY]
NOT_NOW = ("not_in_this_state", "charge_under_way", "method_needed")
BY_THE_MEMBER = {
    "pause": operations.pause_subscription,
    "resume": operations.resume_subscription,
    "cancel": operations.cancel_subscription,
    "undo": operations.undo_cancel,
}


class Joining(Till):
    """One member and one creator, who sells nothing else. What was charged is read in the provider's book."""

    def furnish(self) -> None:
        super().furnish()
        self.member = make.member()
        course = things.course(things.creator(make.member(Member.Role.CREATOR)))
        self.lesson, self.host = course, course.creator
        self.plans = [members.plan(self.host, trial_days=5)]
        self.plans += [members.other_plan(self.plans[0], minor) for minor in (1_000, 9_000)]
        self.plans.append(members.other_plan(self.plans[0], 24_000, "year"))

    def elsewhere(self) -> int:
        """Count what was charged, but for what we have not been told of, less what was given back."""
        waiting = set(Charge.objects.filter(state=Charge.State.NEW).values_list("key", flat=True))
        charged: int = sum(row["amount"] for row in self._captured() if row["key"] not in waiting)
        back: int = sum(row["amount"] for row in self._theirs("refunds"))
        return super().elsewhere() + charged - back

    def _theirs(self, table: str) -> list[Row]:
        return [row for row in self.sandbox.bank.book.tables[table].values() if row["account"] == self.tenant.slug]

    def _captured(self) -> list[Row]:
        rows = [row for row in self._theirs("checkouts") if not row.get("is_sold")] + self._theirs("charges")
        return [row for row in rows if row["status"] == "captured"]

    def _mine(self) -> Subscription:
        rows = Subscription.objects.filter(viewer=self.member).select_related("viewer", "tier__creator")
        return rows.latest("pk")

    def _has_joined(self) -> bool:
        return Subscription.objects.filter(viewer=self.member).exists()

    @rule(plan=some.sampled_from(range(4)), tries=some.booleans(), off=some.sampled_from([0, 0, 3_333, 10_000]))
    def join(self, plan: int, tries: bool, off: int) -> None:  # noqa: FBT001  drawn
        """Try it, or pay for the first period, for less with a coupon; what it pays wholly asks for no method."""
        with refusals("already_a_member", "already_paid", "no_trial"):
            if tries:
                method = saved_method(self.sandbox, self.member, at=self.now)
                operations.start_trial(viewer=self.member, plan=self.plans[plan], method=method, at=self.now)
            else:
                coupon = shop.coupon(self.host, bps=off).code if off else ""
                members.joined(self.sandbox, self.member, self.plans[plan], coupon=coupon, at=self.now)

    @precondition(lambda self: self._has_joined())
    @rule(what=some.sampled_from(sorted(BY_THE_MEMBER)))
    def change(self, what: str) -> None:
        with refusals(*NOT_NOW):
            BY_THE_MEMBER[what](subscription=self._mine(), by=self.member, at=self.now)

    @precondition(lambda self: self._has_joined())
    @rule(plan=some.sampled_from(range(4)), at_once=some.booleans())
    def change_plan(self, plan: int, at_once: bool) -> None:  # noqa: FBT001  drawn
        change = operations.upgrade_now if at_once else operations.downgrade_at_period_end
        with refusals(*NOT_NOW, "not_an_upgrade", "other_membership"):
            change(subscription=self._mine(), by=self.member, plan=self.plans[plan], at=self.now)

    @precondition(lambda self: self._has_joined())
    @rule()
    def change_method(self) -> None:
        method = saved_method(self.sandbox, self.member, at=self.now)
        with refusals(*NOT_NOW):
            operations.change_method(subscription=self._mine(), by=self.member, method=method, at=self.now)

    @precondition(lambda self: self._has_joined())
    @rule()
    def end(self) -> None:
        with refusals("not_in_this_state"):
            operations.end_subscription(subscription=self._mine(), by=self.staff, why="spam", at=self.now)

    @rule(days=some.sampled_from([1, 2, 6, 15, 31, 70]), fault=some.sampled_from(FAULTS), times=some.integers(1, 3))
    def let_days_pass(self, days: int, fault: Kind | None, times: int) -> None:
        self.sandbox.faults.planned.clear()
        if fault:
            self.sandbox.faults.plan(Fault(on=CHARGES, kind=fault, times=times))
        self.now += timedelta(days=days)
        tick(self.now)

    @precondition(lambda self: self._paid().exists())
    @rule(part=some.integers(1, 4_000) | some.none(), data=some.data())
    def give_back(self, part: int | None, data: some.DataObject) -> None:
        line = data.draw(some.sampled_from(list(self._paid().order_by("pk"))))
        amount, key = yuan(part) if part else None, f"{next(numbers)}"
        with refusals("more_than_was_paid"):
            made = operations.refund(line=line, by=self.staff, amount=amount, key=key, at=self.now)
            operations.send_refund(refund=made, at=self.now)
            assert Refund.objects.get(pk=made.pk).state == "sent"

    def _paid(self) -> QuerySet[OrderLine]:
        lines = OrderLine.objects.filter(order__viewer=self.member, order__paid_at__isnull=False)
        return lines.filter(refunded__lt=F("amount")).select_related("order__viewer")

    @invariant()
    def nobody_is_charged_twice_for_a_period(self) -> None:
        assert all(number == 1 for number in Counter(row["order"] for row in self._captured()).values())

    @invariant()
    def what_is_booked_was_charged(self) -> None:
        booked = Payment.objects.filter(order__viewer=self.member, state=Payment.State.CAPTURED)
        assert set(booked.values_list("reference", "amount")) <= {
            (row["id"], row["amount"]) for row in self._captured()
        }

    @invariant()
    def the_host_has_what_members_paid(self) -> None:
        has = Account.objects.filter(creator=self.host).aggregate(minor=Sum(F("credits") - F("debits")))["minor"] or 0
        lines = OrderLine.objects.filter(order__viewer=self.member, order__paid_at__isnull=False)
        back = Refund.objects.filter(line__in=lines).exclude(state=Refund.State.FAILED)
        earned = [rows.aggregate(sum=Sum("share", default=0))["sum"] for rows in (lines, back)]
        assert has == earned[0] - earned[1]

    @invariant()
    def who_pays_is_a_member(self) -> None:
        ends = Period.objects.filter(subscription__viewer=self.member).aggregate(last=Max("ends_at"))["last"]
        is_let_in = may_watch(self.member, self.lesson, self.now)
        if ends is None or self.now >= ends + GRACE:
            assert not is_let_in
        elif self._mine().state == Subscription.State.TRIALING and self.now < self._mine().ends_at:
            assert is_let_in
