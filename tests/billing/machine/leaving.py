"""Payouts: drafted, taxed, approved, sent through a provider that fails in every way, given up, sent back.

Taxes are handed over in between.
"""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as some
from hypothesis.stateful import Bundle, MultipleResults, invariant, multiple, rule

from billing import queries
from billing.models import Payout, Remittance
from billing.operations import papers, paying
from billing.providers.sandbox.faults import Fault, Kind
from creators.models import Creator
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing.machine.till import Sold, Till, numbers, refusals
from tests.billing.paying import BANK, SANDBOX
from tests.billing.shop import line_of, yuan

PATH = "/v1/payouts"
FAULTS = [None, None, Kind.FAIL_AFTER_COMMIT, Kind.TOO_MANY, Kind.REFUSE]


class Leaving(Till):
    """What the provider was asked for is read in its book, never in ours."""

    payouts = Bundle("payouts")

    def furnish(self) -> None:
        super().furnish()
        self.other = make.member(Member.Role.STAFF)
        of: dict[str, Any] = {"place": "DE", "kind": "", "starts_on": self.now.date(), "ends_on": None}
        self.taxed_by = papers.set_withholding_rule(by=self.staff, bps=2_000, threshold=yuan(50), at=self.now, **of)

    def elsewhere(self) -> int:
        left = [
            rows.filter(state="paid").values_list("amount", flat=True) for rows in (Payout.objects, Remittance.objects)
        ]
        return super().elsewhere() - sum(sum(amounts) for amounts in left)

    def paid_out(self, creator: int) -> int:
        left = Payout.objects.filter(creator=creator)
        kept = sum(payout.withheld - payout.withheld_back for payout in left)
        return super().paid_out(creator) + sum(left.filter(state="paid").values_list("amount", flat=True)) + kept

    @rule(target=payouts, sold=Till.sales, part=some.integers(1, 300))
    def draft(self, sold: Sold, part: int) -> MultipleResults[Payout]:
        creator = line_of(sold.order).creator
        who: dict[str, Any] = {"by": self.staff, "currency": "CNY", "at": self.now}
        paying.set_payout_account(creator=creator, rail=SANDBOX, to=BANK, **who)
        if creator.pk % 2:  # the others may be given theirs by the provider
            papers.tax_as(creator=creator, by=self.staff, place="DE", kind="person", tax_id="", at=self.now)
        drafted: list[Payout] = []
        with refusals("not_enough_money", "below_threshold"):
            drafted.append(paying.draft_payout(creator=creator, amount=yuan(part), key=f"{next(numbers)}", **who))
        return multiple(*drafted)

    @rule(payout=payouts)
    def approve(self, payout: Payout) -> None:
        with refusals("wrong_state"):
            paying.approve_payout(payout=payout, by=self.other, at=self.now)

    @rule(payout=payouts)
    def give_up(self, payout: Payout) -> None:
        with refusals("wrong_state"):
            paying.withdraw_payout(payout=payout, by=self.other, why="no", at=self.now)

    @rule(payout=payouts)
    def send_back(self, payout: Payout) -> None:
        with refusals("wrong_state"):
            paying.reverse_payout(payout=payout, by=self.staff, why="closed", at=self.now)

    @rule(payout=payouts, dies=some.booleans(), fault=some.sampled_from(FAULTS))
    def send(self, payout: Payout, dies: bool, fault: Kind | None) -> None:  # noqa: FBT001  drawn
        """As the job does it; it may die right before the provider is told."""
        self.sandbox.faults.planned.clear()
        if fault:
            self.sandbox.faults.plan(Fault(on=PATH, kind=fault))
        if paying.begin_payout(payout=payout, at=self.now) and not dies:
            paying.send_payout(payout=payout, at=self.now)

    @rule(of=some.sampled_from(["tax", "withholding"]))
    def hand_over(self, of: str) -> None:
        at, key = self.now, f"{next(numbers)}"
        with refusals("nothing_owed"):
            told: dict[str, Any] = {"of": of, "currency": "CNY", "month": at.date(), "amount": None}
            drafted = papers.draft_remittance(by=self.staff, key=key, at=at, **told)
            papers.confirm_remittance(remittance=drafted, by=self.other, reference=key, at=at)

    @rule(payout=payouts)
    def ask(self, payout: Payout) -> None:
        paying.resolve_payout(payout=payout, at=self.now)

    @invariant()
    def what_is_withheld_is_what_is_due_on_what_was_paid_in_each_month(self) -> None:
        months = set(Payout.objects.values_list("creator", "drafted_at__year", "drafted_at__month"))
        for creator, year, month in months:
            at = datetime(year, month, 15, tzinfo=UTC)
            paid, kept = queries.paid_under(self.taxed_by, Creator(pk=creator), at=at)
            assert kept == self.taxed_by.due_on(paid)

    @invariant()
    def a_payout_leaves_at_most_once(self) -> None:
        theirs = [
            row for row in self.sandbox.bank.book.tables["payouts"].values() if row["account"] == self.tenant.slug
        ]
        sent = Counter((row["key"], row["amount"]) for row in theirs)
        ours = {(payout.key, payout.amount): payout.state for payout in Payout.objects.all()}
        assert set(sent) <= set(ours)
        assert all(number == 1 for number in sent.values())
        for payout, state in ours.items():
            assert state in {"submitted", "unknown", "approved"} or (payout in sent) == (state in {"paid", "reversed"})
