"""Disputes: opened once or twice about a sale, decided, taken and given back, heard of at once, late or again."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Sum
from hypothesis import strategies as some
from hypothesis.stateful import Bundle, invariant, precondition, rule

from billing import ledger
from billing.models import Dispute, DisputePart
from billing.operations import disputing
from billing.providers import Disputed, Stand
from tests.billing.machine.till import Sold, Till
from tests.billing.shop import payment_of, yuan

MOST_CLAIMS = 4
ENQUIRY = {Stand.WARNING, Stand.CLOSED}
HELD = {Stand.NEEDS_RESPONSE, Stand.UNDER_REVIEW, Stand.LOST}
NEXT = {
    Stand.WARNING: {Stand.CLOSED, Stand.NEEDS_RESPONSE},
    Stand.CLOSED: {Stand.WARNING, Stand.NEEDS_RESPONSE},
    Stand.NEEDS_RESPONSE: {Stand.UNDER_REVIEW, Stand.WON, Stand.LOST},
    Stand.UNDER_REVIEW: {Stand.WON, Stand.LOST},
    Stand.WON: set(),
    Stand.LOST: set(),
}


@dataclass(eq=False)
class Claim:
    """What the bank knows of a dispute, and what of that we were told."""

    reference: str
    sold: Sold
    amount: int
    stand: Stand
    is_withdrawn: bool = False
    is_reinstated: bool = False
    known: Stand = Stand.WARNING
    away: int = 0  # what the bank has taken and not given back, as far as we were told
    held: int = 0


class Disputing(Till):
    """The model takes of a sale what is left of it, whenever it hears; what one gives back another one may take."""

    claims = Bundle("claims")

    def furnish(self) -> None:
        super().furnish()
        self.claimed: list[Claim] = []

    def elsewhere(self) -> int:
        return super().elsewhere() - sum(claim.away for claim in self.claimed)

    def paid_out(self, creator: int) -> int:
        held = DisputePart.objects.filter(released=None, line__creator=creator).aggregate(sum=Sum("share", default=0))
        return super().paid_out(creator) + int(held["sum"])

    def disputed(self, sold: Sold) -> int:
        return super().disputed(sold) + sum(claim.held for claim in self.claimed if claim.sold is sold)

    def lost(self, sold: Sold) -> int:
        lost = [claim for claim in self.claimed if claim.sold is sold and claim.known == Stand.LOST]
        return super().lost(sold) + sum(claim.held for claim in lost)

    @precondition(lambda self: len(self.claimed) < MOST_CLAIMS)
    @rule(target=claims, sold=Till.sales, part=some.integers(1, 300) | some.none(), is_enquiry=some.booleans())
    def dispute(self, sold: Sold, part: int | None, is_enquiry: bool) -> Claim:  # noqa: FBT001  drawn
        stand = Stand.WARNING if is_enquiry else Stand.NEEDS_RESPONSE
        claim = Claim(f"dp_{len(self.claimed)}", sold, min(part or sold.price, sold.price), stand)
        self.claimed.append(claim)
        self.hear_of_dispute(claim)
        return claim

    @rule(claim=claims, hears=some.booleans(), data=some.data())
    def decide(self, claim: Claim, hears: bool, data: some.DataObject) -> None:  # noqa: FBT001  drawn
        if NEXT[claim.stand]:
            claim.stand = data.draw(some.sampled_from(sorted(NEXT[claim.stand])))
        if hears:
            self.hear_of_dispute(claim)

    @rule(claim=claims, hears=some.booleans())
    def move_money(self, claim: Claim, hears: bool) -> None:  # noqa: FBT001  drawn
        if claim.is_withdrawn and claim.stand == Stand.WON:
            claim.is_reinstated = True
        claim.is_withdrawn = claim.stand not in ENQUIRY
        if hears:
            self.hear_of_dispute(claim)

    @rule(claim=claims)
    def hear_of_dispute(self, claim: Claim) -> None:
        payment = payment_of(claim.sold.order)
        told: dict[str, Any] = {"reference": claim.reference, "key": payment.key, "amount": yuan(claim.amount)}
        told |= {"is_withdrawn": claim.is_withdrawn, "is_reinstated": claim.is_reinstated, "fee": yuan(15)}
        said = Disputed(**told, stand=claim.stand, fee_back=yuan(15))

        disputing.note_dispute(provider=payment.provider, said=said, at=self.now)

        claim.known, claim.away = claim.stand, claim.amount * (claim.is_withdrawn - claim.is_reinstated)
        if claim.known in HELD:
            self._take(claim)
            return
        claim.held = 0
        if claim.known in {Stand.WON, Stand.CLOSED}:
            for other in self.claimed:
                if other.sold is claim.sold and other.known in HELD:
                    self._take(other)

    def _take(self, claim: Claim) -> None:
        sold = claim.sold
        left = sold.price - sold.refunded("asked", "sent") - self.disputed(sold)
        claim.held += min(claim.amount - claim.held, left) if sold.is_paid else 0

    @invariant()
    def what_is_held_is_what_the_model_takes(self) -> None:
        assert dict(Dispute.objects.values_list("reference", "held")) == {of.reference: of.held for of in self.claimed}
        held, away = (sum(getattr(claim, name) for claim in self.claimed) for name in ("held", "away"))
        assert ledger.dispute("CNY").balance.minor == held - away
