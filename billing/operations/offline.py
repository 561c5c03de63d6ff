"""Payments by bank: shown by the buyer, approved by staff, above a limit by two of them; booked like any other."""

from datetime import datetime

from django.db import transaction

from billing import providers
from billing.models import Order, Payment, PaymentProof, ProofDecision, Refund
from billing.operations.orders import held
from billing.operations.payments import AlreadyPaid, capture
from billing.operations.refunds import settle_refund
from billing.operations.staff import must_run_the_tenant
from kpplatform.errors import Conflict, Forbidden, Invalid
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant

MOST_BYTES = 500_000
# What a file begins with says what it is; what its sender says does not.
BEGINS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"%PDF-": "application/pdf"}
State = PaymentProof.State


class NotOffline(Conflict):
    code = "not_offline"


class BadProof(Invalid):
    code = "bad_proof"


class ReferenceUsed(Conflict):
    code = "reference_used"


class DecidedAlready(Conflict):
    code = "decided_already"


class OtherEyesNeeded(Forbidden):
    code = "other_eyes_needed"


@transaction.atomic
def send_proof(*, order: Order, by: Member, reference: str, content: bytes, at: datetime) -> PaymentProof:
    """Keep what the buyer shows for having paid by bank: its reference, and perhaps a small picture or PDF.

    The same reference again is the same proof. Raises NotOffline, AlreadyPaid, BadProof and ReferenceUsed.
    """
    payment = _offline(held(order))
    if payment.state == Payment.State.CAPTURED:
        raise AlreadyPaid("This order has been paid.")
    kind = next((name for start, name in BEGINS.items() if content.startswith(start)), "")
    if not reference.strip() or (content and not kind) or len(content) > MOST_BYTES:
        raise BadProof(f"A proof is a reference, and at most {MOST_BYTES} bytes of PNG, JPEG or PDF.")
    reference = reference.strip().upper()
    standing = PaymentProof.objects.exclude(state=State.REJECTED)
    if sent := standing.filter(payment=payment).first():
        if sent.reference != reference:
            raise DecidedAlready("A proof of this payment is being looked at.")
        return sent
    if standing.filter(reference=reference).exists():
        raise ReferenceUsed("This reference pays for another order.")
    return PaymentProof.objects.create(
        payment=payment, sent_by=by, reference=reference, content=content, content_type=kind, sent_at=at
    )


@transaction.atomic
def decide_proof(*, proof: PaymentProof, by: Member, is_approved: bool, why: str, at: datetime) -> PaymentProof:
    """Approve or reject a proof. With enough approvals the payment is booked, and the buyer is let in.

    The same decision again changes nothing. Raises StaffOnly, OtherEyesNeeded, DecidedAlready and BadProof for a no
    without a reason.
    """
    must_run_the_tenant(by)
    order = held(proof.payment.order)
    proof = PaymentProof.objects.get(pk=proof.pk)
    said = ProofDecision.objects.filter(proof=proof, by=by).first()
    if said and said.is_approved == is_approved:
        return proof
    if said or proof.state != State.WAITING:
        raise DecidedAlready("This was decided.")
    if by.pk in {proof.sent_by_id, order.viewer_id}:
        raise OtherEyesNeeded("Nobody approves a payment of their own.")
    if not is_approved and not why.strip():
        raise BadProof("A no needs a reason.")
    ProofDecision.objects.create(proof=proof, by=by, is_approved=is_approved, why=why.strip()[:300], decided_at=at)
    payment = _offline(order)
    approvals = ProofDecision.objects.filter(proof=proof, is_approved=True).count()
    if is_approved and approvals < _driver().needed(payment.money):
        return proof
    proof.state, proof.decided_at = (State.APPROVED if is_approved else State.REJECTED), at
    proof.save(update_fields=["state", "decided_at"])
    if is_approved:
        capture(payment=payment, reference=proof.reference, at=at)
    return proof


@transaction.atomic
def confirm_refund(*, refund: Refund, by: Member, reference: str, at: datetime) -> Refund:
    """Book that the bank has sent a refund; above the limit somebody else says so than who has asked for it.

    Raises StaffOnly, NotOffline, BadProof, OtherEyesNeeded, and DecidedAlready for one that had failed.
    """
    must_run_the_tenant(by)
    _offline(held(refund.line.order))
    if not reference.strip():
        raise BadProof("Say the bank's reference.")
    refund = Refund.objects.get(pk=refund.pk)
    if refund.state == Refund.State.FAILED:
        raise DecidedAlready("This refund was taken back.")
    if by.pk == refund.asked_by_id and _driver().needed(refund.money) > 1:
        raise OtherEyesNeeded("Somebody else than who has asked for it confirms so much.")
    settle_refund(refund=refund, reference=reference.strip().upper(), at=at)
    return Refund.objects.get(pk=refund.pk)


def _offline(order: Order) -> Payment:
    payment = Payment.objects.select_related("order__viewer").get(order=order)
    if payment.provider != providers.OFFLINE:
        raise NotOffline("This order is not paid by bank.")
    return payment


def _driver() -> providers.Offline:
    driver = providers.provider_for(current_tenant(), providers.OFFLINE)
    assert isinstance(driver, providers.Offline)
    return driver
