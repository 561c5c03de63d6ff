"""Dividing payments at WeChat Pay and Stripe, over HTTP: their limits, their faults, and what comes back."""

from typing import Any

import pytest
from stripe import InvalidRequestError

from billing import operations
from billing.models import LineShare, Order, Split, SplitOrder, SplitReceiver, StateChange, WebhookEvent
from billing.operations import splitting
from billing.providers.splits.stripe import StripeSplits
from catalog.models import Item
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing import shop, test_stripe, test_wechatpay
from tests.billing.doubles.stripe import TRANSFERS, StripeDouble
from tests.billing.doubles.wechatpay import SHARING, WechatDouble
from tests.billing.shop import payment_of
from tests.billing.splits import LATER, divided_by_the_provider, receiver, sent, sent_back, split_of
from tests.billing.test_maturity import refunded, stands
from tests.catalog import things
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("_fresh_cache")
stripe, wechat = test_stripe.stripe, test_wechatpay.wechat  # the fixtures


def at_wechat(wechat: WechatDouble, viewer: Member, course: Item, **rules: Any) -> SplitOrder:
    """Return the division of a payment through WeChat Pay that has matured."""
    divided_by_the_provider(**rules)
    payment, number = test_wechatpay.opened(viewer, course)
    test_wechatpay.told(wechat, wechat.pay(number))
    return divided(payment.order)


def divided(order: Order) -> SplitOrder:
    paid_at = payment_of(order).captured_at
    assert paid_at is not None
    operations.mature(at=paid_at + (LATER - NOON))
    splitting.plan_splits(at=paid_at + (LATER - NOON))
    return SplitOrder.objects.get(payment__order=order)


def test_wechat_gives_up_to_its_ceiling_and_unfreezes_the_rest(
    wechat: WechatDouble, viewer: Member, course: Item
) -> None:
    receiver(course.creator, "1900000109", provider="wechatpay")
    assert wechat.receivers == {"1900000109"}

    order = sent(at_wechat(wechat, viewer, course))

    assert (order.state, split_of(order).amount) == ("done", 3_000)
    (number,) = wechat.orders
    assert wechat.orders[number]["settle_info"] == {"profit_sharing": True}
    assert wechat.frozen[number] == 0
    assert stands(course.creator) == {"available": 5_940}
    assert shop.books_are_good()


def test_the_ceiling_is_what_the_tenant_has_agreed_on(wechat: WechatDouble, viewer: Member, course: Item) -> None:
    receiver(course.creator, "1900000109", provider="wechatpay")
    wechat.ceiling = 10_000

    assert split_of(sent(at_wechat(wechat, viewer, course, split_ceiling_bps=10_000))).amount == 8_940


def test_wechat_unfreezes_what_has_no_receiver(wechat: WechatDouble, viewer: Member, course: Item) -> None:
    order = sent(at_wechat(wechat, viewer, course))

    assert (order.state, list(wechat.frozen.values()), wechat.shared) == ("done", [0], {order.key: []})


def test_an_order_that_is_collected_is_not_marked(wechat: WechatDouble, viewer: Member, course: Item) -> None:
    _, number = test_wechatpay.opened(viewer, course)

    assert "settle_info" not in wechat.orders[number]


def test_a_receiver_that_wechat_does_not_want_gets_nothing(wechat: WechatDouble, course: Item) -> None:
    made = receiver(course.creator, "nobody", provider="wechatpay")

    assert (made.registered_at, made.refusal) == (None, "WeChat Pay refuses: USER_NOT_EXISTS.")


def test_wechat_is_asked_again_while_a_receiver_is_pending(wechat: WechatDouble, viewer: Member, course: Item) -> None:
    receiver(course.creator, "1900000109", provider="wechatpay")
    wechat.results_are = "PENDING"
    order = sent(at_wechat(wechat, viewer, course))
    assert (order.state, shop.jobs("resolve_split")) == ("submitted", 1)

    splitting.resolve_split(order=order, at=LATER)
    changes = StateChange.objects.filter(of="split", row=order.pk).order_by("pk").values_list("after", flat=True)
    assert list(changes) == ["asked", "submitted"], "Asking changes nothing."
    wechat.finish(order.key, "CLOSED")
    splitting.resolve_split(order=order, at=LATER)

    assert (SplitOrder.objects.get().state, split_of(order).state, split_of(order).reason) == (
        "done",
        "failed",
        "ACCOUNT_ABNORMAL",
    )
    assert stands(course.creator) == {"available": 8_940}
    assert shop.books_are_good()


def test_a_merchant_of_wechat_gives_back_and_a_lost_answer_is_asked_for(
    wechat: WechatDouble, viewer: Member, course: Item
) -> None:
    receiver(course.creator, "1900000109", provider="wechatpay")
    wechat.fail(f"{SHARING}/orders", "500_after")
    order = sent(at_wechat(wechat, viewer, course))
    assert order.state == "unknown"
    splitting.resolve_split(order=order, at=LATER)
    refunded(order.payment.order)
    refunded_share = 8_940 - 5_940

    back = splitting.ask_back(split=split_of(order), at=LATER)
    assert back is not None
    wechat.fail(f"{SHARING}/return-orders", "500_after")
    assert sent_back(back).state == "unknown"
    splitting.resolve_split_return(back=back, at=LATER)

    assert (split_of(order).state, split_of(order).returned) == ("returned", refunded_share)
    assert list(wechat.returns.values()) == [refunded_share]
    assert stands(course.creator) == {}


def test_a_person_at_wechat_gives_nothing_back(wechat: WechatDouble, viewer: Member, course: Item) -> None:
    receiver(course.creator, "o_openid", kind="person", provider="wechatpay")
    order = sent(at_wechat(wechat, viewer, course))
    refunded(order.payment.order)

    back = splitting.ask_back(split=split_of(order), at=LATER)
    assert back is not None
    assert sent_back(back).reason == "WeChat Pay takes nothing back from a person."
    assert stands(course.creator) == {"clawback": -3_000}


def at_stripe(stripe: StripeDouble, viewer: Member, course: Item) -> SplitOrder:
    """Return the division of a payment through Stripe that has matured."""
    divided_by_the_provider()
    stripe.connected.add("acct_1234")
    receiver(course.creator, provider="stripe")
    return divided(test_stripe.paid(stripe, viewer, course).order)


def test_stripe_transfers_out_of_the_charge(stripe: StripeDouble, viewer: Member, course: Item) -> None:
    order = sent(at_stripe(stripe, viewer, course))

    assert (order.state, stands(course.creator)) == ("done", {})
    (made,) = stripe.transfers.values()
    assert (made["amount"], made["destination"], made["source_transaction"]) == (8_940, "acct_1234", "ch_1")
    assert (made["transfer_group"], split_of(order).reference) == (order.key, made["id"])
    assert shop.books_are_good()


def test_a_500_after_the_transfer_is_found_by_its_group(stripe: StripeDouble, viewer: Member, course: Item) -> None:
    order = at_stripe(stripe, viewer, course)
    stripe.fail(TRANSFERS, "500_after")
    assert sent(order).state == "unknown"

    splitting.resolve_split(order=order, at=LATER)

    assert (SplitOrder.objects.get().state, len(stripe.transfers)) == ("done", 1)


def test_a_429_is_told_again_and_what_was_made_is_not_made_twice(
    stripe: StripeDouble, viewer: Member, course: Item
) -> None:
    order = at_stripe(stripe, viewer, course)
    stripe.fail(TRANSFERS, "429")
    assert sent(order).state == "unknown"
    splitting.resolve_split(order=order, at=LATER)
    stripe.saved.clear()  # a day later Stripe knows no key any more

    assert (sent(order).state, len(stripe.transfers)) == ("done", 1)


def test_stripe_reverses_a_transfer_once(stripe: StripeDouble, viewer: Member, course: Item) -> None:
    order = sent(at_stripe(stripe, viewer, course))
    refunded(order.payment.order, 5_000)
    back = splitting.ask_back(split=split_of(order), at=LATER)
    assert back is not None
    stripe.fail(f"{TRANSFERS}/tr_1/reversals", "500_after")

    assert sent_back(back).state == "unknown"
    splitting.resolve_split_return(back=back, at=LATER)

    assert (split_of(order).returned, [row["amount"] for row in stripe.reversals]) == (4_470, [4_470])
    assert Split.objects.get().state == "done"


def test_an_account_that_is_not_connected_is_refused(stripe: StripeDouble, course: Item) -> None:
    made = receiver(course.creator, "acct_0000", provider="stripe")

    assert (made.registered_at, SplitReceiver.objects.get().refusal[:15]) == (None, "Stripe refuses:")


def test_what_stripe_tells_of_its_transfers_is_known(stripe: StripeDouble, viewer: Member, course: Item) -> None:
    order = sent(at_stripe(stripe, viewer, course))
    (made,) = stripe.transfers.values()

    def told(kind: str, **changed: Any) -> tuple[str, str]:
        test_stripe.told(stripe, f"transfer.{kind}", made | changed)
        event = WebhookEvent.objects.latest("pk")
        return event.state, event.reason

    assert told("created") == ("duplicate", "")
    assert told("reversed", reversed=True, amount_reversed=8_940) == ("quarantined", "split_came_back")
    assert told("created", metadata=made["metadata"] | {"key": "sp_x-1"}) == ("quarantined", "unknown_split")
    refunded(order.payment.order, 5_000)
    back = splitting.ask_back(split=split_of(order), at=LATER)
    assert back is not None
    sent_back(back)
    assert told("updated", amount_reversed=4_470) == ("duplicate", "")


def test_a_transfer_whose_answer_was_lost_is_asked_for_when_stripe_tells_of_it(
    stripe: StripeDouble, viewer: Member, course: Item
) -> None:
    order = at_stripe(stripe, viewer, course)
    stripe.fail(TRANSFERS, "500_after")
    assert sent(order).state == "unknown"

    test_stripe.told(stripe, "transfer.created", *stripe.transfers.values())

    assert (WebhookEvent.objects.latest("pk").state, shop.jobs("resolve_split")) == ("applied", 2)


def test_who_was_given_something_is_not_paid_out_as_well_when_the_rest_is_refused(
    stripe: StripeDouble, viewer: Member, course: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    divided_by_the_provider()
    other = things.creator(make.member())
    order = shop.ordered(viewer, course)
    for creator, role, amount in ((course.creator, "owner", 6_000), (other, "collaborator", 2_940)):
        LineShare.objects.create(line=order.lines.get(), creator=creator, role=role, amount=amount)
        stripe.connected.add(f"acct_{amount}")
        receiver(creator, f"acct_{amount}", provider="stripe")
    split = divided(test_stripe.paid(stripe, viewer, course).order)
    stripe.fail(TRANSFERS, "500_after")
    assert sent(split).state == "unknown"
    splitting.resolve_split(order=split, at=LATER)

    def gone(*_: object) -> str:
        raise InvalidRequestError("gone", "id", http_status=404)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(StripeSplits, "_charge", gone)
    done = sent(split)

    assert len(stripe.transfers) == 1
    assert (done.state, list(done.splits.order_by("pk").values_list("state", flat=True))) == (
        "done",
        ["done", "failed"],
    )
    assert (stands(course.creator), stands(other)) == ({}, {"available": 2_940})
    assert shop.books_are_good()
