"""Payments: asked of the provider under a key stored before, booked when the provider says that it has the money."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from billing import ledger, providers
from billing.models import Journal, Order, OrderLine, Payment, PaymentMethod
from billing.money import Money
from billing.operations.crash import crash_here
from billing.operations.documents import issue_invoices
from billing.operations.goods import goods_of
from billing.operations.lapses import revive
from billing.operations.memberships import may_be_paid_by_hand, saves_method
from billing.operations.orders import held
from billing.operations.parts import part_may_be_paid_by_hand
from billing.operations.reopening import begin_anew, closed_at_provider, comes_otherwise, is_opened_again
from billing.operations.terms import WINDOW
from kpplatform.errors import Conflict
from kpplatform.jobs.operations import enqueue
from kpplatform.tenancy.many import update_all
from kpplatform.tenancy.models import Domain
from kpplatform.tenancy.scope import current_tenant

FIRST_QUESTION, LATEST_QUESTION = timedelta(minutes=1), timedelta(days=1)


class AlreadyPaid(Conflict):
    code = "already_paid"


class OrderLapsed(Conflict):
    code = "order_lapsed"


@transaction.atomic
def pay(*, order: Order, return_url: str = "", buyer: providers.Buyer | None = None, at: datetime) -> Payment:
    """Open the provider's checkout for the order, and return where the buyer pays.

    However often it is asked, there is one checkout: the order is held while the provider is called, and the key
    was committed with the order. If this process dies in between, the next call finds the same checkout. One that ran
    out, or belongs to another way, is closed at the provider, and another one opened; if it was paid after all, it is
    booked. A renewal or a part that was declined can be paid so too: from then on it is not charged any more. Raises
    AlreadyPaid, OrderLapsed, BadWay, and ProviderUnavailable when the outcome is not known: then it may be asked again.
    """
    order = held(order)
    payment = Payment.objects.filter(order=order).first()
    if payment is None or payment.state == Payment.State.CAPTURED:
        raise AlreadyPaid("This order has been paid.")
    if order.lapsed_at is not None:
        raise OrderLapsed("This order was given up, for it had not been paid. Please order again.")
    payment = _made_ready(payment, buyer, at)
    if payment.state not in {Payment.State.NEW, Payment.State.AGREED}:
        return payment
    if not may_be_paid_by_hand(order) or not part_may_be_paid_by_hand(order):
        return payment
    crash_here("before_provider_call")
    checkout = _opened(payment, return_url, buyer, saves=saves_method(order))
    crash_here("after_provider_call")
    payment.reference, payment.checkout_url, payment.state = checkout.reference, checkout.url, Payment.State.OPEN
    payment.way, payment.handed, payment.opened_at = checkout.way, checkout.handed, at
    payment.save(update_fields=["reference", "checkout_url", "way", "handed", "state", "opened_at"])
    # Should every message about it get lost, we ask.
    enqueue("billing.tasks.resolve_payment", due_at=at + FIRST_QUESTION, payment_id=payment.pk)
    return payment


def _made_ready(payment: Payment, buyer: providers.Buyer | None, at: datetime) -> Payment:
    """Return a held payment; as a new one, where its checkout is closed, or the buyer comes by another way."""
    if payment.state not in {Payment.State.OPEN, Payment.State.DECLINED}:
        return payment
    if comes_otherwise(payment, buyer):
        _must_have_way(providers.provider_for(current_tenant(), payment.provider), buyer)
    ended = closed_at_provider(payment, buyer, at=at)
    if ended and ended.is_paid:
        return _found_paid(payment, ended, at)
    if ended and ended.is_closed:
        begin_anew(payment, at=at)
    elif is_opened_again(payment, buyer, at=at):
        payment.state = Payment.State.NEW
    return payment


def _must_have_way(provider: providers.Provider, buyer: providers.Buyer | None) -> None:
    """Raise BadWay for one that the provider has not, or for which something is missing."""
    if buyer is None:
        return
    if not isinstance(provider, providers.ManyWaysProvider) or buyer.way not in provider.ways:
        raise providers.BadWay(f"Nobody gets to the provider by {buyer.way.value}.")
    if buyer.way == providers.Way.APP and not buyer.openid:
        raise providers.BadWay("In the app it has to be told who pays: openid.")


def _found_paid(payment: Payment, checkout: providers.Checkout, at: datetime) -> Payment:
    """Book what was paid just before it would have been closed, if it is what was ordered."""
    if (checkout.amount, checkout.order) != (payment.money, str(payment.order_id)):
        raise providers.ProviderUnavailable("The provider tells of another payment under this key.")
    capture(payment=payment, reference=checkout.reference, method=checkout.method, at=at)
    return Payment.objects.get(pk=payment.pk)


def _opened(payment: Payment, return_url: str, buyer: providers.Buyer | None, *, saves: bool) -> providers.Checkout:
    """Return the provider's page, where what the buyer pays by is kept, if it shall be and the provider can."""
    name = payment.provider
    provider = providers.marked(providers.provider_for(current_tenant(), name), is_split=payment.is_split)
    asked = {"key": payment.key, "order": str(payment.order_id), "webhook_url": webhook_url(name)}
    asked["return_url"] = return_url
    if saves and isinstance(provider, providers.ChargingProvider):
        return provider.create_checkout(**asked, amount=payment.money, saves=True)
    if isinstance(provider, providers.ManyWaysProvider) and provider.is_one_trade and payment.way:
        buyer = buyer or providers.Buyer(providers.Way(payment.way))  # who names no way stays on the one there is
    _must_have_way(provider, buyer)
    if isinstance(provider, providers.ManyWaysProvider):
        return provider.create_checkout(**asked, amount=payment.money, buyer=buyer)
    return provider.create_checkout(**asked, amount=payment.money)


@transaction.atomic
def capture(*, payment: Payment, reference: str, at: datetime, method: str = "") -> bool:
    """Book a payment that the provider has, and let the buyer in: one transaction. False if that was done before.

    `method` is what the provider has saved with it, to be charged again.
    """
    order = held(payment.order)
    payment = Payment.objects.get(pk=payment.pk)
    if payment.state == Payment.State.CAPTURED:
        return False
    revive(order)
    if method:
        saved = {"reference": method, "state": PaymentMethod.State.SAVED, "made_at": at}
        PaymentMethod.objects.create(member=order.viewer, provider=payment.provider, key=payment.key, **saved)
    payment.reference = reference
    book_all([payment], at=at)
    return True


@transaction.atomic
def book_all(payments: Sequence[Payment], *, at: datetime) -> None:
    """Book payments that the provider has, whose orders are held and whose references are set; let the buyers in."""
    orders = [payment.order_id for payment in payments]
    related = ("order__viewer", "item", "product", "creator")
    all_lines = OrderLine.objects.filter(order__in=orders).select_related(*related).prefetch_related("shares__creator")
    lines = list(all_lines.order_by("pk"))
    for kind in dict.fromkeys(line.kind for line in lines):
        goods_of(kind).hand_over([line for line in lines if line.kind == kind], at)
    journals = ledger.post_all([_sale(payment, lines) for payment in payments], at=at)
    crash_here("after_post")
    for payment, journal in zip(payments, journals, strict=True):
        payment.state, payment.captured_at, payment.journal = Payment.State.CAPTURED, at, journal
    update_all(payments, ["provider", "state", "reference", "captured_at", "journal"])
    Order.objects.filter(pk__in=orders).update(state=Order.State.PAID, paid_at=at)
    # What is asked is earned with the answer.
    all_lines.exclude(kind=OrderLine.Kind.CONSULTATION).update(matures_at=at + WINDOW)
    issue_invoices(lines=lines, at=at)


def _sale(payment: Payment, lines: Sequence[OrderLine]) -> ledger.Entry:
    currency = payment.currency
    sold = [line for line in lines if line.order_id == payment.order_id]
    parts = [(ledger.clearing(currency), name, part) for line in sold for name, part in shared(line, currency)]
    return ledger.Entry(Journal.Kind.SALE, f"sale:{payment.pk}", parts)


def shared(line: OrderLine, currency: str) -> list[tuple[ledger.Name, Money]]:
    """Return who gets which part of a line."""
    tax, processor, platform, share = line.parts(currency)
    names = ledger.tax(currency), ledger.processor(currency), ledger.fees(currency)
    return [*zip(names, (tax, processor, platform), strict=True), *_owners(line, share)]


def _owners(line: OrderLine, share: Money) -> list[tuple[ledger.Name, Money]]:
    """Return whose the share is: those of its shares, the creator, who paid for later, or else the tenant."""
    shares = sorted(line.shares.all(), key=lambda of: of.pk)
    if shares:
        return [(ledger.pending(of.creator, share.currency), Money(of.amount, share.currency)) for of in shares]
    if line.creator:
        return [(ledger.pending(line.creator, share.currency), share)]
    if line.kind == OrderLine.Kind.COINS:
        return [(ledger.coins(line.order.viewer, share.currency), share)]
    if line.kind == OrderLine.Kind.AD_BALANCE:
        return [(ledger.advertiser(line.order.viewer, share.currency), share)]
    return [(ledger.pool(share.currency), share)]


@transaction.atomic
def decline(*, payment: Payment) -> bool:
    """Note that the buyer could not pay, and may try again. False if that says nothing new, or comes too late."""
    held(payment.order)
    waiting = Payment.objects.filter(pk=payment.pk, state__in=[Payment.State.NEW, Payment.State.OPEN])
    return bool(waiting.exclude(reference="").update(state=Payment.State.DECLINED))


@transaction.atomic
def resolve_payment(*, payment: Payment, at: datetime) -> None:
    """Ask the provider what became of the payment, book it if it was paid, else ask again later, for a day."""
    if payment.state == Payment.State.CAPTURED:
        return
    try:
        provider = providers.provider_for(current_tenant(), payment.provider)
        checkout = provider.query(key=payment.key, reference=payment.reference, order=str(payment.order_id))
    except (providers.ProviderUnavailable, providers.ProviderRefused, providers.NotConnected):
        checkout = None
    if checkout and checkout.is_paid and checkout.amount == payment.money and checkout.order == str(payment.order_id):
        capture(payment=payment, reference=checkout.reference, method=checkout.method, at=at)
    elif (age := at - (payment.opened_at or payment.created_at)) < LATEST_QUESTION:
        enqueue("billing.tasks.resolve_payment", due_at=at + max(age, FIRST_QUESTION), payment_id=payment.pk)


def webhook_url(provider: str) -> str:
    """Return where the provider reaches the scope's tenant."""
    host = Domain.objects.filter(tenant=current_tenant()).order_by("pk").values_list("host", flat=True)[0]
    at = f"https://{host}" if settings.SECURE else f"http://{host}:{settings.PUBLIC_PORT}"
    return f"{at}/api/v1/webhooks/{provider}/"
