"""Instalments: a course for 100.01 yuan in three parts, charged, declined, paid off, forgiven and given back."""

from django.db.models import F, Sum
from hypothesis import strategies as some
from hypothesis.stateful import invariant, precondition, rule

from billing import operations
from billing.models import Account, InstalmentPlan, OrderLine, Refund
from billing.operations import instalments
from tests import make
from tests.billing import members, parts, shop
from tests.billing.machine.joining import Joining
from tests.billing.machine.till import numbers, refusals
from tests.billing.members import may_watch, saved_method

NOT_NOW = ("not_in_this_state", "charge_under_way", "method_needed")
OPEN = {"active", "past_due", "paid", "forgiven"}


class Parting(Joining):
    """One buyer, who orders whenever they may, and one creator, who sells nothing else."""

    def furnish(self) -> None:
        super().furnish()
        self.buyer, self.taught = make.member(), shop.course_for(10_001)

    def _plans(self) -> list[InstalmentPlan]:
        return list(InstalmentPlan.objects.filter(viewer=self.buyer).select_related("viewer").order_by("pk"))

    @rule()
    def begin(self) -> None:
        with refusals("already_in_parts", "already_yours"):
            order = parts.placed(self.taught, self.buyer, key=f"{next(numbers)}", at=self.now)
            members.paid_at_the_page(self.sandbox, order, at=self.now)

    @precondition(lambda self: self._plans())
    @rule(what=some.sampled_from(["rest", "method", "forgive"]))
    def settle_plan(self, what: str) -> None:
        plan, at = self._plans()[-1], self.now
        with refusals(*NOT_NOW):
            if what == "rest":
                instalments.pay_rest(plan=plan, by=self.buyer, at=at)
            elif what == "method":
                method = saved_method(self.sandbox, self.buyer, at=at)
                instalments.change_method(plan=plan, by=self.buyer, method=method, at=at)
            else:
                instalments.forgive(plan=plan, by=self.staff, why="kind", at=at)

    @precondition(lambda self: self._paid_parts())
    @rule(data=some.data())
    def give_part_back(self, data: some.DataObject) -> None:
        line = data.draw(some.sampled_from(self._paid_parts()))
        with refusals("more_than_was_paid"):
            made = operations.refund(line=line, by=self.staff, amount=None, key=f"{next(numbers)}", at=self.now)
            operations.send_refund(refund=made, at=self.now)
            assert Refund.objects.get(pk=made.pk).state == "sent"

    def _paid_parts(self) -> list[OrderLine]:
        lines = OrderLine.objects.filter(order__viewer=self.buyer, order__paid_at__isnull=False)
        return list(lines.filter(refunded__lt=F("amount")).select_related("order__viewer").order_by("pk"))

    @invariant()
    def who_does_not_default_may_watch(self) -> None:
        is_open = any(plan.state in OPEN for plan in self._plans())
        assert may_watch(self.buyer, self.taught, self.now) == is_open

    @invariant()
    def no_more_than_the_price_is_paid_for_a_plan(self) -> None:
        for plan in self._plans():
            orders = plan.parts.filter(paid_at__isnull=False).values("order__amount")
            assert sum(row["order__amount"] for row in orders) <= plan.amount

    @invariant()
    def the_teacher_has_what_the_buyer_paid(self) -> None:
        sums = Account.objects.filter(creator=self.taught.creator).aggregate(minor=Sum(F("credits") - F("debits")))
        lines = OrderLine.objects.filter(order__viewer=self.buyer, order__paid_at__isnull=False)
        back = Refund.objects.filter(line__in=lines).exclude(state=Refund.State.FAILED)
        earned = [rows.aggregate(sum=Sum("share", default=0))["sum"] for rows in (lines, back)]
        assert (sums["minor"] or 0) == earned[0] - earned[1]
