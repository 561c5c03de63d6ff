"""What the provider divides itself: to whom, how often told, what came back. Its own book says what it has done."""

from collections import Counter
from typing import Any

from django.db.models import F, QuerySet, Sum
from hypothesis import strategies as some
from hypothesis.stateful import invariant, rule

from billing.models import Payment, Split, SplitOrder, SplitReceiver, SplitReturn
from billing.operations import splitting
from billing.operations.split_receivers import receiver_of
from billing.providers.sandbox.book import Row
from billing.providers.sandbox.faults import Fault, Kind
from tests.billing import splits
from tests.billing.machine.till import Sold, Till
from tests.billing.shop import line_of

FAULTS = [None, None, Kind.FAIL_AFTER_COMMIT, Kind.TOO_MANY, Kind.REFUSE]
GIVEN = ("done", "returned")


class Dividing(Till):
    """Each creator has an account there, or none, one that is closed, or one from which nothing is taken back."""

    def furnish(self) -> None:
        super().furnish()
        splits.divided_by_the_provider()

    def elsewhere(self) -> int:
        return super().elsewhere() - _given()

    def paid_out(self, creator: int) -> int:
        return super().paid_out(creator) + _given(creator=creator)

    def _receive(self, sold: Sold, name: str) -> None:
        creator, kind = line_of(sold.order).creator, "person" if name == "person" else "merchant"
        if name != "nobody" and not SplitReceiver.objects.filter(creator=creator).exists():
            splits.receiver(creator, f"{name}_{creator.pk}", kind=kind)

    @rule(name=some.sampled_from(["acct", "acct", "person", "closed", "nobody"]))
    def plan(self, name: str) -> None:
        """Plan what has matured; the provider knows of the payments of which we were told."""
        self.mature()
        for sold in self.sold:
            self._receive(sold, name)
        for paid in Payment.objects.filter(state="captured", order__in=[sold.order for sold in self.sold]):
            row: Row = {"id": paid.reference, "account": self.tenant.slug, "key": paid.key, "order": str(paid.order_id)}
            row |= {"amount": paid.amount, "currency": "CNY", "status": "captured", "is_sold": True, "refunded": 0}
            self.sandbox.bank.book.put({"checkouts": [row]})
        while splitting.plan_splits(at=self.now):
            pass

    @rule(dies=some.booleans(), fault=some.sampled_from(FAULTS))
    def divide(self, dies: bool, fault: Kind | None) -> None:  # noqa: FBT001  drawn
        """As the job does it; it may die right before the provider is told."""
        self._plan_fault("/v1/splits", fault)
        for order in SplitOrder.objects.filter(state__in=SplitOrder.OPEN).select_related("payment__order"):
            if splitting.begin_split(order=order, at=self.now) and not dies:
                splitting.send_split(order=order, at=self.now)

    @rule(dies=some.booleans(), fault=some.sampled_from(FAULTS))
    def take_back(self, dies: bool, fault: Kind | None) -> None:  # noqa: FBT001  drawn
        self._plan_fault("/v1/returns", fault)
        for split in Split.objects.filter(state="done").select_related("order__payment__order"):
            splitting.ask_back(split=split, at=self.now)
        for back in SplitReturn.objects.filter(state__in=SplitOrder.OPEN).select_related(
            "split__order__payment__order"
        ):
            if splitting.begin_split_return(back=back, at=self.now) and not dies:
                splitting.send_split_return(back=back, at=self.now)

    @rule()
    def ask_what_became_of_it(self) -> None:
        self.sandbox.faults.planned.clear()
        for order in SplitOrder.objects.filter(state__in=SplitOrder.OPEN).select_related("payment__order"):
            splitting.resolve_split(order=order, at=self.now)
        for back in SplitReturn.objects.filter(state__in=SplitOrder.OPEN).select_related(
            "split__order__payment__order"
        ):
            splitting.resolve_split_return(back=back, at=self.now)

    def _plan_fault(self, on: str, kind: Kind | None) -> None:
        self.sandbox.faults.planned.clear()
        if kind:
            self.sandbox.faults.plan(Fault(on=on, kind=kind))

    def _in_the_book(self, table: str) -> list[Row]:
        return [row for row in self.sandbox.bank.book.tables[table].values() if row["account"] == self.tenant.slug]

    @invariant()
    def what_was_given_is_in_the_provider_s_book_once(self) -> None:
        made = self._in_the_book("splits")
        assert all(number == 1 for number in Counter(row["checkout"] for row in made).values())
        theirs = {(row["key"], to["account"]): to for row in made for to in row["receivers"]}
        ours: dict[Any, Split] = {}
        for split in Split.objects.select_related("order", "receiver"):
            if split.state != "failed" or (split.order.key, receiver_of(split.receiver).account) in theirs:
                ours[split.order.key, receiver_of(split.receiver).account] = split
        assert theirs.keys() <= ours.keys()
        for key, split in ours.items():
            said = theirs.get(key, {"status": "", "amount": split.amount})
            assert said["amount"] == split.amount
            assert split.state == "asked" or (said["status"] == "paid") == (split.state in GIVEN)

    @invariant()
    def what_came_back_is_in_the_provider_s_book_once(self) -> None:
        theirs = {row["key"]: row["amount"] for row in self._in_the_book("returns")}
        ours = {back.key: back for back in SplitReturn.objects.all()}
        assert theirs.keys() <= ours.keys()
        for key, back in ours.items():
            assert back.state in SplitOrder.OPEN or (theirs.get(key) == back.amount) == (back.state == "done")
            assert theirs.get(key, back.amount) == back.amount


def _open_returns() -> QuerySet[SplitReturn]:
    rows = SplitReturn.objects.filter(state__in=SplitOrder.OPEN)
    return rows.select_related("split__order__payment__order").order_by("pk")


def _given(**whose: Any) -> int:
    """Return what was given for us, less what came back, as far as we know."""
    known = Split.objects.filter(state__in=GIVEN, **whose)
    return int(known.aggregate(sum=Sum(F("amount") - F("returned"), default=0))["sum"])
