"""Stripe's rail: a Connect transfer to the creator's connected account, found again by the group that is our key.

With the transfer the money is the creator's. When their own bank gets it is between them and Stripe.
"""

from dataclasses import dataclass
from typing import Any

import stripe

from billing.money import Money
from billing.providers.rails import Destination, Outcome, SentPayout
from billing.providers.stripe import PAGE, Stripe, metadata_of, refusal
from billing.providers.stripe_amounts import from_stripe, to_stripe


@dataclass(frozen=True)
class StripeRail:
    """Transfers from a tenant's account with Stripe."""

    driver: Stripe

    def payout(self, *, key: str, amount: Money, to: Destination, webhook_url: str) -> SentPayout:
        asked: Any = {"amount": to_stripe(amount), "currency": amount.currency.lower(), "destination": to.number}
        asked |= {"transfer_group": key, "metadata": {"tenant": self.driver.account, "key": key}}
        try:
            return _sent(self.driver.client.v1.transfers.create(asked, {"idempotency_key": key}))
        except stripe.StripeError as error:
            raise refusal(error) from error

    def query_payout(self, *, key: str) -> SentPayout | None:
        try:
            found = self.driver.client.v1.transfers.list({"transfer_group": key, "limit": PAGE}).auto_paging_iter()
            return next((_sent(made) for made in found if metadata_of(made).get("key") == key), None)
        except stripe.StripeError as error:
            raise refusal(error) from error

    def reverse_payout(self, *, key: str, reference: str, amount: Money) -> None:
        asked: Any = {"amount": to_stripe(amount), "metadata": {"tenant": self.driver.account, "key": key}}
        transfers = self.driver.client.v1.transfers
        try:
            transfers.reversals.create(reference, asked, {"idempotency_key": key})
        except stripe.StripeError as error:
            # Done before, perhaps, by a request whose answer was lost, or by hand.
            try:
                is_back = transfers.retrieve(reference).reversed
            except stripe.StripeError:
                is_back = False
            if not is_back:
                raise refusal(error) from error


def _sent(made: stripe.Transfer) -> SentPayout:
    outcome = Outcome.RETURNED if made.reversed else Outcome.PAID
    reason = "reversed" if made.reversed else ""
    return SentPayout(made.id, outcome, from_stripe(made.amount, made.currency), reason)
