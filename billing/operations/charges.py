"""Collecting without the buyer: the provider is asked under a key that was stored before."""

from datetime import datetime, timedelta

from django.db import transaction

from billing import providers
from billing.models import Charge, Payment, PaymentMethod, Period, Subscription
from billing.operations.crash import crash_here
from billing.operations.memberships import held as held_subscription
from billing.operations.memberships import noted
from billing.operations.methods import usable
from billing.operations.orders import held
from billing.operations.payments import capture, webhook_url
from billing.operations.renewals import declined
from billing.providers import Charged
from kpplatform.tenancy.scope import current_tenant

FIRST_RETRY, LATEST_RETRY = timedelta(seconds=10), timedelta(hours=1)
State = Charge.State


@transaction.atomic
def collect_next(*, at: datetime) -> bool:
    """Collect the charge that has waited longest; False when none is due, or the provider does not answer."""
    free = Charge.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
    waiting = free.filter(state=State.NEW, due_at__lte=at).order_by("due_at", "pk").first()
    return waiting is not None and collect(charge=waiting, at=at)


@transaction.atomic
def collect(*, charge: Charge, at: datetime) -> bool:
    """Ask the provider for the money, and book what it answers. While that is not known it is asked again later.

    However often and by however many it is asked, the provider knows one key: it charges once. What nobody wants any
    more is not charged, but what was charged before is booked. False for no answer.
    """
    payment = Payment.objects.select_related("order").get(pk=charge.payment_id)
    held(payment.order)
    subscription = held_subscription(Subscription(pk=charge.subscription_id))
    charge = Charge.objects.select_related("method").get(pk=charge.pk)
    if charge.state != State.NEW:
        return True
    crash_here("before_charge_call")
    try:
        said = _asked(charge, payment, subscription)
    except (providers.ProviderUnavailable, providers.NotConnected) as error:
        charge.due_at = at + min(max(at - charge.made_at, FIRST_RETRY), LATEST_RETRY)
        charge.reason = error.detail[:200]
        charge.save(update_fields=["due_at", "reason"])
        return False
    crash_here("after_charge_call")
    _note(charge, said, at=at)
    if charge.state == State.PAID:
        # It may be another one than at first: the one that has the money is asked to give it back.
        Payment.objects.filter(pk=payment.pk).update(provider=charge.method.provider)
        capture(payment=payment, reference=charge.reference, at=at)
    else:
        _not_paid(subscription, charge, payment, at=at)
    return True


@transaction.atomic
def ask_again(*, payment: Payment, key: str, at: datetime) -> bool:
    """Have the provider asked what became of a charge after all: it tells that it was paid, and we know nothing of it.

    Not while another one is under way. False when there is nothing to ask about.
    """
    held(payment.order)
    charges = Charge.objects.filter(payment=payment)
    if charges.filter(state__in=[State.NEW, State.PAID]).exists():
        return False
    return bool(charges.filter(key=key).update(state=State.NEW, due_at=at, done_at=None))


def _asked(charge: Charge, payment: Payment, subscription: Subscription) -> Charged | None:
    """Return what the provider says; None when it was never asked and shall not be any more."""
    provider = providers.charging_provider(current_tenant(), charge.method.provider)
    order = str(payment.order_id)
    if not _is_wanted(charge, payment, subscription):
        said = provider.query_charge(key=charge.key)
    else:
        try:
            said = provider.charge(
                key=charge.key,
                method=charge.method.reference,
                order=order,
                amount=charge.money,
                webhook_url=webhook_url(charge.method.provider),
            )
        except providers.ProviderRefused as no:
            return Charged("", order, charge.money, is_paid=False, is_final=True, reason=no.detail)
    if said and (said.order, said.amount) != (order, charge.money):
        raise providers.ProviderUnavailable("The provider tells of another charge under this key.")
    return said


def _is_wanted(charge: Charge, payment: Payment, of: Subscription) -> bool:
    """Tell whether it may still be charged: nothing was ended or cancelled meanwhile, nor the method refused."""
    is_cancelled = not of.renews and Period.objects.filter(order=payment.order_id, kind=Period.Kind.RENEWAL).exists()
    return usable(charge.method) and not of.is_over and not is_cancelled


def _note(charge: Charge, said: Charged | None, *, at: datetime) -> None:
    if said is None:
        charge.state = State.STOPPED
    elif said.is_paid:
        charge.state = State.PAID
    else:
        charge.state = State.REFUSED if said.is_final else State.DECLINED
    charge.reference, charge.reason = (said.reference, said.reason[:200]) if said else ("", "")
    charge.done_at = at
    charge.save(update_fields=["state", "reference", "reason", "done_at"])
    if charge.state == State.REFUSED:
        PaymentMethod.objects.filter(pk=charge.method_id).update(state=PaymentMethod.State.REFUSED)


def _not_paid(of: Subscription, charge: Charge, payment: Payment, *, at: datetime) -> None:
    """Let a declined upgrade be as if it was never asked for, and a declined renewal be tried again."""
    period = Period.objects.get(order=payment.order_id)
    if period.kind == Period.Kind.UPGRADE:
        Period.objects.filter(pk=period.pk).update(credited=None, credit=0)
    if of.is_over:
        return
    if of.method and of.method_id == charge.method_id:
        of.method.refresh_from_db(fields=["state"])
    if period.kind == Period.Kind.UPGRADE:
        of.due_at = of.ends_at
        of.save(update_fields=["due_at"])
        noted(of, "upgrade_declined", at=at, before=of.state, why=charge.reason)
        return
    declined(of, payment, why=charge.reason, at=at)
    if of.ended_at is None and of.method_id != charge.method_id and usable(of.method):
        of.due_at = at
        of.save(update_fields=["due_at"])
