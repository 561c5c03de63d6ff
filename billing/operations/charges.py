"""Collecting without the buyer: the provider is asked under a key that was stored before."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from billing import providers
from billing.models import Charge, InstalmentPart, InstalmentPlan, Order, Payment, PaymentMethod, Period, Subscription
from billing.operations.backoff import again
from billing.operations.crash import crash_here
from billing.operations.due_parts import part_declined
from billing.operations.memberships import held_all as held_subscriptions
from billing.operations.memberships import noted
from billing.operations.methods import usable
from billing.operations.orders import held
from billing.operations.parts import OWING, WAITING, held_plans
from billing.operations.payments import book_all, webhook_url
from billing.operations.renewals import declined
from billing.providers import Charged
from kpplatform.tenancy.many import update_all
from kpplatform.tenancy.scope import current_tenant

FIRST_RETRY, LATEST_RETRY = timedelta(seconds=10), timedelta(hours=1)
State = Charge.State
# So many charges are collected in one transaction; so often in a row a provider may give no answer in it.
BATCH, MOST_SILENT = 100, 3
Debtor = Subscription | InstalmentPlan


@transaction.atomic
def collect_next(*, at: datetime, most: int = BATCH) -> int:
    """Collect the charges that have waited longest, and say of how many the provider told what became of them."""
    free = Charge.objects.select_for_update(no_key=True, skip_locked=True, of=("self",)).select_related("method")
    return _collected(list(free.filter(state=State.NEW, due_at__lte=at).order_by("due_at", "pk")[:most]), at)


@transaction.atomic
def collect(*, charge: Charge, at: datetime) -> bool:
    """Ask the provider for the money, and book what it answers. While that is not known it is asked again later.

    However often and by however many it is asked, the provider knows one key: it charges once. What nobody wants any
    more is not charged, but what was charged before is booked. False when nothing new is
    known of it.
    """
    held_charges = Charge.objects.select_for_update(no_key=True, of=("self",)).select_related("method")
    return bool(_collected(list(held_charges.filter(pk=charge.pk, state=State.NEW)), at))


def _collected(charges: Sequence[Charge], at: datetime) -> int:
    """Hold orders, then subscriptions and plans; ask about each charge, which is held; book together what was paid."""
    orders = Payment.objects.filter(charges__in=charges).values("order_id")
    list(Order.objects.select_for_update(no_key=True).filter(pk__in=orders).order_by("pk").values_list("pk"))
    debtors = _held(charges)
    payments = Payment.objects.in_bulk([of.payment_id for of in charges])
    methods = {of.method_id: of.method for of in charges}
    asking, answered = Asking(), []
    for charge in charges:
        charge.method = methods[charge.method_id]  # one, so that what is refused is refused for all of them
        crash_here("before_charge_call")
        try:
            said = asking.said(charge, payments[charge.payment_id], debtors[charge.pk])
        except providers.ProviderUnavailable as error:
            charge.due_at = again(at=at, since=charge.made_at, first=FIRST_RETRY, latest=LATEST_RETRY)
            charge.reason = error.detail[:200]
            continue
        crash_here("after_charge_call")
        _note(charge, said, at=at)
        answered.append(charge)
    update_all(charges, ["due_at", "state", "reference", "reason", "done_at"])
    _book([(of, payments[of.payment_id]) for of in answered if of.state == State.PAID], at)
    for of in answered:
        if of.state != State.PAID:
            _not_paid(debtors[of.pk], of, payments[of.payment_id], at=at)
    return len(answered)


def _held(charges: Sequence[Charge]) -> dict[int, Debtor]:
    """Return who owes what is charged, by charge: subscriptions and plans, which are held."""
    subscriptions = held_subscriptions([pk for of in charges if (pk := of.subscription_id)], "method")
    plans = held_plans([pk for of in charges if (pk := of.plan_id)], "viewer", "method")
    return {of.pk: plans[of.plan_id] if of.plan_id else subscriptions[of.subscription_id or 0] for of in charges}


def _book(paid: Sequence[tuple[Charge, Payment]], at: datetime) -> None:
    for charge, payment in paid:
        # It may be another one than at first: the one that has the money is asked to give it back.
        payment.provider, payment.reference = charge.method.provider, charge.reference
    book_all([payment for _, payment in paid], at=at)


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


@dataclass
class Asking:
    """One round of questions. A provider that gave no answer a few times in a row is not asked any more in it."""

    drivers: dict[str, tuple[providers.ChargingProvider, str]] = field(default_factory=dict)
    silent: dict[str, int] = field(default_factory=dict)

    def said(self, charge: Charge, payment: Payment, debtor: Debtor) -> Charged | None:
        """Return what the provider says; None when it was never asked and shall not be any more.

        Raises ProviderUnavailable.
        """
        name = charge.method.provider
        if self.silent.get(name, 0) >= MOST_SILENT:
            raise providers.ProviderUnavailable("The provider does not answer at all.")
        try:
            said = self._asked(charge, payment, is_wanted=_is_wanted(charge, payment, debtor))
        except providers.ProviderUnavailable:
            self.silent[name] = self.silent.get(name, 0) + 1
            raise
        self.silent[name] = 0
        return said

    def _asked(self, charge: Charge, payment: Payment, *, is_wanted: bool) -> Charged | None:
        provider, url = self._driver(charge.method.provider)
        order = str(payment.order_id)
        if is_wanted:
            ask = {"key": charge.key, "method": charge.method.reference, "order": order, "webhook_url": url}
            try:
                said: Charged | None = provider.charge(**ask, amount=charge.money)
            except providers.ProviderRefused as no:
                return Charged("", order, charge.money, is_paid=False, is_final=True, reason=no.detail)
        else:
            said = provider.query_charge(key=charge.key, method=charge.method.reference)
        if said and (said.order, said.amount) != (order, charge.money):
            raise providers.ProviderUnavailable("The provider tells of another charge under this key.")
        return said

    def _driver(self, name: str) -> tuple[providers.ChargingProvider, str]:
        if name not in self.drivers:
            try:
                self.drivers[name] = providers.charging_provider(current_tenant(), name), webhook_url(name)
            except (providers.NotConnected, providers.CannotCharge) as no:
                raise providers.ProviderUnavailable(no.detail) from no
        return self.drivers[name]


def _is_wanted(charge: Charge, payment: Payment, of: Debtor) -> bool:
    """Tell whether it may still be charged: nothing was ended or cancelled meanwhile, nor the method refused."""
    if isinstance(of, InstalmentPlan):
        is_voided = InstalmentPart.objects.filter(order=payment.order_id, voided_at__isnull=False).exists()
        return usable(charge.method) and of.state in OWING and not is_voided
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
    if charge.state == State.REFUSED:
        charge.method.state = PaymentMethod.State.REFUSED
        saved = PaymentMethod.objects.filter(pk=charge.method_id, state=PaymentMethod.State.SAVED)
        saved.update(state=PaymentMethod.State.REFUSED)  # what was removed meanwhile stays so


def _not_paid(of: Debtor, charge: Charge, payment: Payment, *, at: datetime) -> None:
    """Let what was declined be tried again: on a later day, or at once with another method that was chosen since."""
    if of.method and of.method_id == charge.method_id:
        of.method.refresh_from_db(fields=["state"])
    if isinstance(of, InstalmentPlan):
        part_declined(of, charge, payment, at=at)
        is_owed = of.state in WAITING
    else:
        is_owed = _period_declined(of, charge, payment, at=at)
    if is_owed and of.method_id != charge.method_id and usable(of.method):
        of.due_at = at
        of.save(update_fields=["due_at"])


def _period_declined(of: Subscription, charge: Charge, payment: Payment, *, at: datetime) -> bool:
    """Let a declined upgrade be as if it was never asked for, and say whether a renewal is still owed."""
    period = Period.objects.get(order=payment.order_id)
    if period.kind == Period.Kind.UPGRADE:
        Period.objects.filter(pk=period.pk).update(credited=None, credit=0)
    if of.is_over:
        return False
    if period.kind == Period.Kind.UPGRADE:
        of.due_at = of.ends_at
        of.save(update_fields=["due_at"])
        noted(of, "upgrade_declined", at=at, before=of.state, why=charge.reason)
        return False
    declined(of, payment, why=charge.reason, at=at)
    return of.ended_at is None
