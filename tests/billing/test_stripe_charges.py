"""Memberships charged through Stripe, over HTTP: saved on its page, charged later, declined, found again."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from billing import ledger, operations
from billing.models import Charge, Order, Payment, PaymentMethod, Plan, Refund, Subscription
from billing.operations import Wanted
from billing.operations.refunds import send_refund
from billing.providers import stripe as driver
from kpplatform.tenancy.models import Member, Tenant
from tests import make
from tests.billing import members, shop
from tests.billing.doubles.http import serving
from tests.billing.doubles.stripe import INTENTS, StripeDouble
from tests.billing.members import DAY, now, travel
from tests.billing.shop import payment_of, yuan
from tests.billing.test_stripe import connect, states, told
from tests.conftest import NOON

JUNE, JULY = datetime(2026, 6, 1, 12, tzinfo=UTC), datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.fixture
def stripe(in_school: Tenant, settings: Settings) -> Iterator[StripeDouble]:
    """Stripe, where the school is paid."""
    with serving(StripeDouble()) as double:
        assert isinstance(double, StripeDouble)
        settings.STRIPE_URL = double.address
        connect(double)
        yield double


@pytest.fixture
def of(stripe: StripeDouble, viewer: Member, club: Plan) -> Subscription:
    """Return the subscription of somebody who paid for May on Stripe's page."""
    order = operations.order_all(viewer=viewer, wanted=[Wanted(product=club.product)], key="join", at=NOON)
    payment = operations.pay(order=order, at=NOON)
    told(stripe, "checkout.session.completed", stripe.pay(payment.reference))
    joined = Subscription.objects.get(periods__order=order)
    # The event came today; what is told here begins with May.
    joined.periods.update(starts_at=NOON, ends_at=JUNE)
    Subscription.objects.update(starts_at=NOON, ends_at=JUNE, due_at=JUNE, anchor=1)
    return now(joined)


def charges(double: StripeDouble) -> list[tuple[str, int, str]]:
    made = [intent for pk, intent in double.intents.items() if pk.startswith("pi_charge")]
    return [(intent["customer"], intent["amount"], intent["status"]) for intent in made]


def test_a_membership_paid_on_the_page_is_renewed_without_the_member_and_given_back(
    stripe: StripeDouble, of: Subscription
) -> None:
    assert of.method is not None
    assert (of.method.provider, of.method.reference) == ("stripe", "cus_1/pi_1")

    travel(JUNE)

    assert (now(of).state, now(of).ends_at) == ("active", JULY)
    assert charges(stripe) == [("cus_1", 3_000, "succeeded")]
    renewal = Order.objects.latest("pk")
    refund = operations.refund(
        line=shop.line_of(renewal), by=make.member(Member.Role.STAFF), amount=yuan(1_000), key="back", at=JUNE
    )
    send_refund(refund=refund, at=JUNE)
    assert Refund.objects.get().state == Refund.State.SENT
    assert [made["payment_intent"] for made in stripe.refunds.values()] == [payment_of(renewal).reference]
    assert shop.books_are_good()


def test_what_is_saved_on_a_page_without_paying_is_charged_when_the_free_days_are_over(
    stripe: StripeDouble, viewer: Member, club: Plan
) -> None:
    Plan.objects.update(trial_days=14)
    club.refresh_from_db()
    method = operations.open_method(method=operations.ask_method(viewer=viewer, at=NOON), at=NOON)
    (page,) = stripe.sessions
    told(stripe, "checkout.session.completed", stripe.pay(page))
    method.refresh_from_db()
    assert (method.state, method.reference, states()) == ("saved", "cus_1/seti_1", [("applied", "")])

    operations.start_trial(viewer=viewer, plan=club, method=method, at=NOON)
    travel(NOON + 14 * DAY)

    assert charges(stripe) == [("cus_1", 3_000, "succeeded")]
    assert ledger.clearing("CNY").balance == yuan(-3_000)


def test_a_setup_whose_event_was_lost_is_found_by_asking(stripe: StripeDouble, viewer: Member) -> None:
    method = operations.open_method(method=operations.ask_method(viewer=viewer, at=NOON), at=NOON)
    operations.resolve_method(method=method, at=NOON)
    assert PaymentMethod.objects.get().state == PaymentMethod.State.OPEN
    stripe.pay("cs_test_1")

    operations.resolve_method(method=method, at=NOON)

    assert PaymentMethod.objects.get().reference == "cus_1/seti_1"


@pytest.mark.parametrize(
    ("code", "method", "charged"), [("insufficient_funds", "saved", 2), ("stolen_card", "refused", 1)]
)
def test_what_was_declined_is_tried_again_and_what_was_declined_for_good_is_not(
    stripe: StripeDouble, of: Subscription, code: str, method: str, charged: int
) -> None:
    stripe.declines = [code]

    travel(JUNE + 2 * DAY)

    assert Charge.objects.earliest("pk").reason == code
    assert PaymentMethod.objects.get().state == method
    assert len(charges(stripe)) == charged
    assert now(of).state == ("active" if charged == 2 else "past_due")


def test_who_has_to_show_who_they_are_pays_on_the_page_and_is_not_charged_as_well(
    stripe: StripeDouble, of: Subscription
) -> None:
    stripe.declines = ["authentication_required"]
    travel(JUNE)
    assert (now(of).state, Charge.objects.get().reason) == ("past_due", "authentication_required")

    payment = operations.pay(order=Order.objects.latest("pk"), at=JUNE + DAY)
    travel(JUNE + 14 * DAY)

    assert (payment.state, len(charges(stripe)), now(of).state) == ("open", 1, "past_due")
    operations.resolve_payment(payment=payment, at=JUNE + 14 * DAY)
    stripe.pay(payment.reference)
    operations.resolve_payment(payment=payment, at=JUNE + 15 * DAY)
    renewed = now(of)
    assert (renewed.state, renewed.ends_at) == ("active", JULY)
    assert renewed.method is not None
    assert renewed.method.reference == "cus_2/pi_2"
    travel(JULY)
    assert charges(stripe)[-1] == ("cus_2", 3_000, "succeeded")
    assert shop.books_are_good()


def test_a_page_that_is_never_paid_ends_the_membership_after_the_last_day(
    stripe: StripeDouble, of: Subscription
) -> None:
    stripe.declines = ["authentication_required"]
    travel(JUNE)
    operations.pay(order=Order.objects.latest("pk"), at=JUNE + DAY)

    travel(JULY)

    assert (now(of).state, now(of).ended_at) == ("expired", JUNE + 21 * DAY)
    operations.pay(order=Order.objects.latest("pk"), at=JULY)
    assert len(stripe.sessions) == 2  # of what is over, no other page is opened


@pytest.mark.parametrize("fault", ["500_after", "slow"])
def test_a_charge_whose_answer_was_lost_is_found_again(
    stripe: StripeDouble, of: Subscription, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "TIMEOUT_S", 0.3)
    stripe.fail(INTENTS, fault, seconds=0.5)

    travel(JUNE + timedelta(hours=2))

    assert (now(of).state, len(charges(stripe))) == ("active", 1)


def test_a_charge_asked_for_again_on_another_day_is_not_made_again(stripe: StripeDouble, of: Subscription) -> None:
    travel(JUNE)
    charge = Charge.objects.select_related("method").get()
    stripe.saved.clear()  # Stripe keeps an idempotency key for a day

    again = driver.Stripe("school", stripe.key, stripe.secret).charge(
        key=charge.key,
        method=charge.method.reference,
        order=str(charge.payment.order_id),
        amount=charge.money,
        webhook_url="",
    )

    assert (again.is_paid, again.reference, len(charges(stripe))) == (True, charge.reference, 1)


def test_a_charge_that_stripe_is_still_at_is_asked_about_later(stripe: StripeDouble, of: Subscription) -> None:
    operations.renew_some(at=JUNE)
    stripe.fail(INTENTS, "429")
    members.tick(JUNE)
    assert Charge.objects.get().state == Charge.State.NEW
    travel(JUNE + DAY)
    made = next(intent for pk, intent in stripe.intents.items() if pk.startswith("pi_charge"))
    assert (now(of).state, made["metadata"]["key"]) == ("active", Charge.objects.get().key)
    Charge.objects.update(state=Charge.State.NEW, due_at=JULY)
    Payment.objects.filter(charges__isnull=False).update(reference="")
    made["status"] = "processing"

    assert operations.collect_next(at=JULY) == 0
