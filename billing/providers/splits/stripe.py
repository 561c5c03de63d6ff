"""Dividing a payment at Stripe: a Connect transfer per creator, out of the payment's own charge, and its reversal.

All transfers of one payment are one group, named by our key; each has its own key in its metadata. What was made before
is looked up before anything is made, for Stripe forgets idempotency keys after a day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

import stripe

from billing.money import Money
from billing.providers.protocol import Paid, ProviderRefused
from billing.providers.rails import Outcome
from billing.providers.splits.protocol import Given, GivenBack, Receiver, Share
from billing.providers.stripe import PAGE, Stripe, metadata_of, refusal
from billing.providers.stripe_amounts import from_stripe, to_stripe


@dataclass(frozen=True)
class StripeSplits:
    """Transfers from a tenant's account with Stripe to those connected with it."""

    driver: Stripe

    most_receivers: ClassVar[int] = 50
    within: ClassVar[timedelta] = timedelta(days=90)
    has_ceiling: ClassVar[bool] = False
    freezes: ClassVar[bool] = False

    def add_receiver(self, *, receiver: Receiver) -> None:
        """Ask Stripe whether the account is connected."""
        try:
            self.driver.client.v1.accounts.retrieve(receiver.account)
        except stripe.StripeError as error:
            raise refusal(error) from error

    def split(self, *, key: str, paid: Paid, shares: Sequence[Share]) -> list[Given]:
        try:
            made = self._made(key)
        except stripe.StripeError as error:
            raise refusal(error) from error
        left = [share for share in shares if share.key not in made]
        try:
            charge = self._charge(paid) if left else ""
        except stripe.StripeError as error:
            no = refusal(error)
            if not made or not isinstance(no, ProviderRefused):
                raise no from error
            # What was given before stays given: only the others are refused.
            return [*made.values(), *(_not_given(share, no) for share in left)]
        return [made.get(share.key) or self._transfer(key, share, charge) for share in shares]

    def query_split(self, *, key: str, paid: Paid, shares: Sequence[Share]) -> list[Given] | None:
        try:
            made = self._made(key)
        except stripe.StripeError as error:
            raise refusal(error) from error
        return [made[share.key] for share in shares] if all(share.key in made for share in shares) else None

    def take_back(self, *, key: str, split: str, given: Given, amount: Money, is_person: bool) -> GivenBack:
        if before := self.query_return(key=key, split=split, given=given):
            return before
        asked: Any = {"amount": to_stripe(amount), "metadata": {"tenant": self.driver.account, "key": key}}
        reversals = self.driver.client.v1.transfers.reversals
        try:
            return GivenBack(reversals.create(given.reference, asked, {"idempotency_key": key}).id, Outcome.PAID)
        except stripe.StripeError as error:
            raise refusal(error) from error

    def query_return(self, *, key: str, split: str, given: Given) -> GivenBack | None:
        reversals = self.driver.client.v1.transfers.reversals
        try:
            found = reversals.list(given.reference, {"limit": PAGE}).auto_paging_iter()
            made = next((each for each in found if metadata_of(each).get("key") == key), None)
        except stripe.StripeError as error:
            raise refusal(error) from error
        return GivenBack(made.id, Outcome.PAID) if made else None

    def _transfer(self, group: str, share: Share, charge: str) -> Given:
        asked: Any = {"amount": to_stripe(share.amount), "currency": share.amount.currency.lower()}
        asked |= {"destination": share.receiver.account, "source_transaction": charge, "transfer_group": group}
        asked |= {"metadata": {"tenant": self.driver.account, "key": share.key}}
        try:
            return _given(self.driver.client.v1.transfers.create(asked, {"idempotency_key": share.key}))
        except stripe.StripeError as error:
            no = refusal(error)
            if isinstance(no, ProviderRefused):  # this one only: the others get theirs
                return _not_given(share, no)
            raise no from error

    def _made(self, group: str) -> dict[str, Given]:
        found = self.driver.client.v1.transfers.list({"transfer_group": group, "limit": PAGE}).auto_paging_iter()
        return {metadata_of(made).get("key", ""): _given(made) for made in found}

    def _charge(self, paid: Paid) -> str:
        intent = self.driver.client.v1.payment_intents.retrieve(self.driver.intent_of(paid.reference))
        return str(intent.latest_charge)


def _not_given(share: Share, no: ProviderRefused) -> Given:
    return Given(share.receiver.account, share.amount, Outcome.FAILED, reason=no.detail)


def _given(made: stripe.Transfer) -> Given:
    amount = from_stripe(made.amount, made.currency)
    return Given(str(made.destination), amount, Outcome.PAID, reference=made.id)
