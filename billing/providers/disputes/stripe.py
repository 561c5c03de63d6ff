"""Disputes at Stripe. An event names a payment intent only, so the session that it belongs to is looked up.

What Stripe took and gave back are its balance transactions, in the currency in which the account is settled.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import stripe

from billing.money import Money
from billing.providers.disputes.protocol import Disputed, Evidence, Stand, stand_of
from billing.providers.stripe import Stripe, metadata_of, refusal
from billing.providers.stripe_amounts import from_stripe

LONGEST_WORDS = 20_000  # of one piece of evidence
SUFFIXES = {"image/png": "png", "image/jpeg": "jpg", "application/pdf": "pdf"}
# An enquiry stays one while Stripe looks at it; `prevented` was settled before it became a dispute.
STANDS = {
    "warning_needs_response": Stand.WARNING,
    "warning_under_review": Stand.WARNING,
    "warning_closed": Stand.CLOSED,
    "prevented": Stand.CLOSED,
    "needs_response": Stand.NEEDS_RESPONSE,
    "under_review": Stand.UNDER_REVIEW,
    "appeal_needs_response": Stand.UNDER_REVIEW,
    "appeal_under_review": Stand.UNDER_REVIEW,
    "won": Stand.WON,
    "lost": Stand.LOST,
}


@dataclass(frozen=True)
class StripeDisputes:
    """Disputes in a tenant's account with Stripe."""

    driver: Stripe

    def query_disputes(self, *, reference: str) -> list[Disputed]:
        try:
            found = self.driver.client.v1.disputes.retrieve(reference)
            if not found.payment_intent:  # of a charge that was not made here
                return [_disputed(found, "", "")]
            sessions = self.driver.client.v1.checkout.sessions.list({"payment_intent": str(found.payment_intent)})
        except stripe.StripeError as error:
            if error.http_status == 404:
                return []
            raise refusal(error) from error
        key = next((str(session.client_reference_id) for session in sessions.data), "")
        return [_disputed(found, key, str(found.payment_intent))]

    def answer_dispute(self, *, key: str, reference: str, evidence: Evidence) -> None:
        words = "\n\n".join(part for part in (evidence.words, evidence.receipt) if part)
        told: Any = {"uncategorized_text": words, "access_activity_log": evidence.access_log}
        try:
            if evidence.file:
                told["uncategorized_file"] = self._uploaded(evidence, key)
            told = {name: said[:LONGEST_WORDS] for name, said in told.items() if said}
            asked: Any = {"evidence": told, "submit": True, "metadata": {"answer": key}}
            self.driver.client.v1.disputes.update(reference, asked, {"idempotency_key": key})
        except stripe.StripeError as error:
            raise refusal(error) from error

    def accept_dispute(self, *, key: str, reference: str) -> None:
        try:
            self.driver.client.v1.disputes.close(reference, options={"idempotency_key": key})
        except stripe.StripeError as error:
            raise refusal(error) from error

    def _uploaded(self, evidence: Evidence, key: str) -> str:
        file: Any = BytesIO(evidence.file)
        file.name = f"evidence.{SUFFIXES[evidence.file_type]}"
        sent: Any = {"purpose": "dispute_evidence", "file": file}
        return self.driver.client.v1.files.create(sent, {"idempotency_key": f"{key}-file"}).id


def _disputed(said: stripe.Dispute, key: str, paid: str) -> Disputed:
    moved = list(said.balance_transactions)
    taken = next((moving for moving in moved if moving.amount < 0), None)
    back = next((moving for moving in moved if moving.amount > 0), None)
    due = said.evidence_details.due_by
    return Disputed(
        reference=said.id,
        key=key,
        amount=from_stripe(said.amount, said.currency),
        stand=stand_of(said.status, STANDS),
        reason=said.reason,
        due_at=datetime.fromtimestamp(due, UTC) if due else None,
        answers=(metadata_of(said).get("answer", ""),),
        paid="" if key else paid,  # charged without a page: then the intent is what we know it by
        is_withdrawn=taken is not None,
        is_reinstated=back is not None,
        fee=_fee(taken),
        fee_back=_fee(back),
    )


def _fee(moving: stripe.BalanceTransaction | None) -> Money | None:
    """Return what Stripe has kept with it, or given back: the latter it counts below zero."""
    return from_stripe(abs(moving.fee), moving.currency) if moving else None
