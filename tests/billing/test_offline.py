"""Paying by bank: a proof, other eyes, above a limit four of them, and then it is a payment like any other."""

from base64 import b64encode

import pytest

from billing import ledger, operations
from billing.models import Order, Payment, PaymentProof, Refund
from billing.operations.refunds import send_refund
from catalog.models import Item
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.billing.shop import give_back, ordered, payment_of, yuan
from tests.conftest import NOON

PROOFS = "/api/v1/payment-proofs/"


@pytest.fixture
def order(in_school: Tenant, viewer: Member, course: Item) -> Order:
    """An order for 100 yuan that is to be paid by bank."""
    by_bank(above=10_000)
    return ordered(viewer, course)


def by_bank(*, above: int) -> None:
    admin = make.member(Member.Role.ADMIN)
    public = {"instructions": "Bank of China, 6217 0000", "four_eyes_above": str(above)}
    operations.connect_provider(by=admin, provider="offline", public=public, secrets={}, at=NOON)
    operations.choose_checkout(by=admin, provider="offline", at=NOON)


def proof_of(order: Order, reference: str = "B1", content: bytes = b"") -> PaymentProof:
    return operations.send_proof(order=order, by=order.viewer, reference=reference, content=content, at=NOON)


def decide(proof: PaymentProof, by: Member, *, yes: bool = True, why: str = "") -> PaymentProof:
    return operations.decide_proof(proof=proof, by=by, is_approved=yes, why=why, at=NOON)


def staff() -> Member:
    return make.member(Member.Role.STAFF)


def test_a_proof_that_is_approved_is_a_payment(order: Order) -> None:
    viewer, one = make.client(order.viewer), make.client(staff())
    assert viewer.get("/api/v1/bank-account/").json() == {"instructions": "Bank of China, 6217 0000"}
    file = b64encode(b"%PDF-1.7 receipt").decode()
    made = viewer.post(PROOFS, {"order": order.pk, "reference": "b-77", "file": file}).json()
    assert (made["reference"], made["content_type"], made["state"]) == ("B-77", "application/pdf", "waiting")

    told = one.post(f"{PROOFS}{made['id']}/decide/", {"is_approved": True}).json()

    assert (told["state"], len(told["decisions"])) == ("approved", 1)
    payment = payment_of(order)
    assert (payment.state, payment.reference) == (Payment.State.CAPTURED, "B-77")
    assert ledger.clearing("CNY").balance == yuan(-10_000)
    shown = one.get(f"{PROOFS}{made['id']}/file/")
    assert (shown.content, shown["Content-Disposition"]) == (b"%PDF-1.7 receipt", "attachment")
    assert shop.books_are_good()


def test_above_the_limit_two_of_the_staff_have_to_approve(viewer: Member, course: Item) -> None:
    by_bank(above=9_999)
    proof, first = proof_of(ordered(viewer, course)), staff()

    for _ in range(2):
        assert decide(proof, first).state == "waiting"
    assert Payment.objects.get().state != Payment.State.CAPTURED

    assert decide(proof, staff()).state == "approved"
    assert Payment.objects.get().state == Payment.State.CAPTURED
    with pytest.raises(operations.DecidedAlready):
        decide(proof, staff())


def test_nobody_approves_a_payment_of_their_own(in_school: Tenant, course: Item) -> None:
    by_bank(above=10_000)
    buyer = staff()
    proof = proof_of(ordered(buyer, course))

    with pytest.raises(operations.OtherEyesNeeded):
        decide(proof, buyer)
    with pytest.raises(operations.StaffOnly):
        decide(proof, make.member())


def test_a_proof_is_rejected_with_a_reason_and_another_may_be_shown(order: Order) -> None:
    proof = proof_of(order)
    with pytest.raises(operations.BadProof):
        decide(proof, staff(), yes=False)

    decide(proof, staff(), yes=False, why="It has not come.")

    assert Payment.objects.get().state != Payment.State.CAPTURED
    decide(proof_of(order), staff())
    assert Payment.objects.get().state == Payment.State.CAPTURED


def test_a_reference_pays_for_one_order(order: Order, viewer: Member) -> None:
    proof_of(order, " b1 ")
    other = ordered(viewer, shop.course_for(500), key="other")

    with pytest.raises(operations.ReferenceUsed):
        proof_of(other, "B1")
    with pytest.raises(operations.DecidedAlready):
        proof_of(order, "B2")
    assert proof_of(order, "B1") == PaymentProof.objects.get()


@pytest.mark.parametrize("content", [b"<html>", b"MZ", b"%PDF-" + b"x" * 500_000])
def test_what_is_no_small_picture_is_not_kept(order: Order, content: bytes) -> None:
    with pytest.raises(operations.BadProof):
        proof_of(order, content=content)


def test_a_refund_by_bank_is_sent_by_staff_and_confirmed_by_other_eyes(viewer: Member, course: Item) -> None:
    by_bank(above=0)
    order, one, other = ordered(viewer, course), staff(), staff()
    decide(proof_of(order), one)
    decide(proof_of(order), other)
    refund = operations.refund(line=shop.line_of(order), by=one, amount=None, key="r", at=NOON)
    send_refund(refund=refund, at=NOON)
    assert Refund.objects.get().state == Refund.State.ASKED

    with pytest.raises(operations.OtherEyesNeeded):
        operations.confirm_refund(refund=refund, by=one, reference="B9", at=NOON)
    for _ in range(2):
        operations.confirm_refund(refund=refund, by=other, reference="b9", at=NOON)

    assert (Refund.objects.get().state, Refund.objects.get().reference) == ("sent", "B9")
    assert ledger.clearing("CNY").balance == yuan(0)
    assert shop.books_are_good()


def test_what_is_not_paid_by_bank_takes_no_proof(viewer: Member, course: Item) -> None:
    order = shop.bought(viewer, course)

    with pytest.raises(operations.NotOffline):
        proof_of(order)
    with pytest.raises(operations.NotOffline):
        operations.confirm_refund(refund=give_back(order), by=staff(), reference="B1", at=NOON)


def test_others_do_not_see_a_proof(order: Order, agency: Tenant) -> None:
    proof_of(order)

    assert make.client(make.member()).get(PROOFS).json()["results"] == []
    assert len(make.client(order.viewer).get(PROOFS).json()["results"]) == 1
    with scope(agency):
        assert make.client(staff()).get(PROOFS).json()["results"] == []
