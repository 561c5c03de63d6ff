"""Handing taxes over: what is owed until a month's end is drafted, paid outside, and booked when it is confirmed."""

from datetime import date, datetime

from django.db import transaction
from django.db.models import Sum

from billing import ledger, queries
from billing.models import Journal, Remittance
from billing.money import Money
from billing.operations.payouts import TOGETHER, FourEyes, WrongState
from billing.operations.rules import rules_of
from billing.operations.settlements import bounds
from billing.operations.staff import must_run_the_tenant
from kpplatform.errors import Conflict, Invalid
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant

Tax, State = Remittance.Tax, Remittance.State


class NothingOwed(Conflict):
    code = "nothing_owed"


class ReceiptNeeded(Invalid):
    code = "receipt_needed"


class ReceiptUsed(Conflict):
    code = "receipt_used"


class RemittanceKeyTaken(Conflict):
    code = "remittance_key_taken"


@transaction.atomic
def draft_remittance(
    *, of: str, currency: str, month: date, amount: Money | None, by: Member, key: str, at: datetime
) -> Remittance:
    """Note what is to be handed over of the tax that is owed until the end of a month: an amount of it, or all.

    The same key gives the same one. What was drafted before and not paid yet is not drafted again. Raises StaffOnly,
    NothingOwed and RemittanceKeyTaken.
    """
    must_run_the_tenant(by)
    account = queries.account_of_tax(of, currency)
    ledger.held(account)  # two at once do not both find it owed
    month = month.replace(day=1)
    if asked := Remittance.objects.filter(drafted_by=by, asked_key=key).first():
        if (asked.of, asked.currency, asked.month) != (of, currency, month) or amount not in {None, asked.money}:
            raise RemittanceKeyTaken("Something else was drafted under this key.")
        return asked
    there = _owed(of, currency, month, at)
    amount = there if amount is None else amount
    if amount.currency != currency or not 0 < amount.minor <= there.minor:
        raise NothingOwed(f"{there} is owed until then and not drafted yet, not {amount}.")
    said = {"of": of, "month": month, "amount": amount.minor, "currency": currency, "asked_key": key}
    return Remittance.objects.create(drafted_by=by, drafted_at=at, **said)


@transaction.atomic
def confirm_remittance(*, remittance: Remittance, by: Member, reference: str, at: datetime) -> Remittance:
    """Book that it was handed over, with the number of the receipt; again it is once.

    Raises StaffOnly, ReceiptNeeded, ReceiptUsed, WrongState, NothingOwed when so much was not owed by then, and
    FourEyes for who has drafted a large one.
    """
    must_run_the_tenant(by)
    remittance, reference = _held(remittance), reference.strip()[:100]
    if remittance.state == State.PAID and remittance.reference == reference:
        return remittance
    _must_be_draft(remittance)
    if not reference or not reference.isprintable():
        raise ReceiptNeeded("The number of the receipt is needed.")
    account = queries.account_of_tax(remittance.of, remittance.currency)
    ledger.held(account)
    if (left := _owed(remittance.of, remittance.currency, remittance.month, at)).minor < 0:
        raise NothingOwed(f"{-left} less than that was owed by then: something was given back meanwhile.")
    if Remittance.objects.filter(of=remittance.of, reference=reference).exists():
        raise ReceiptUsed(f"The receipt {reference} is known already.")
    _must_not_be_alone(remittance, by, at)
    away = (account, ledger.clearing(remittance.currency), remittance.money)
    kind, key = Journal.Kind.TAX_PAID, f"tax-paid:{remittance.pk}"
    remittance.journal = ledger.post(kind=kind, key=key, transfers=[away], at=at)
    remittance.reference = reference
    return _decided(remittance, State.PAID, by=by, at=at)


@transaction.atomic
def withdraw_remittance(*, remittance: Remittance, by: Member, why: str, at: datetime) -> Remittance:
    """Give a draft up: it was not paid. Again it is once. Raises StaffOnly and WrongState."""
    must_run_the_tenant(by)
    remittance = _held(remittance)
    if remittance.state == State.WITHDRAWN:
        return remittance
    _must_be_draft(remittance)
    remittance.reason = why[:200]
    return _decided(remittance, State.WITHDRAWN, by=by, at=at)


def _owed(of: str, currency: str, month: date, at: datetime) -> Money:
    """Return what was owed at the end of a month, or is until now, and is neither handed over nor drafted."""
    return queries.owed_until(of, currency, min(bounds(month)[1], at))


def _held(remittance: Remittance) -> Remittance:
    return Remittance.objects.select_for_update(no_key=True).get(pk=remittance.pk)


def _must_be_draft(remittance: Remittance) -> None:
    if remittance.state != State.DRAFT:
        raise WrongState(f"This is {remittance.state}.")


def _must_not_be_alone(remittance: Remittance, by: Member, at: datetime) -> None:
    """Raise FourEyes when one person drafts and confirms much; what they did alone within a day is one.

    The account is held, so that two at once do not both find room.
    """
    if by.pk != remittance.drafted_by_id:
        return
    alone = {"drafted_by": by, "decided_by": by, "state": State.PAID, "decided_at__gt": at - TOGETHER}
    others = Remittance.objects.filter(currency=remittance.currency, **alone).aggregate(all=Sum("amount", default=0))
    whole = remittance.money + Money(others["all"], remittance.currency)
    if rules_of(current_tenant()).needs_four_eyes(whole):
        raise FourEyes(f"Somebody else has to look at taxes of {whole}.")


def _decided(remittance: Remittance, state: Remittance.State, *, by: Member, at: datetime) -> Remittance:
    remittance.state, remittance.decided_by, remittance.decided_at = state, by, at
    remittance.save(update_fields=["state", "reference", "reason", "decided_by", "decided_at", "journal"])
    return remittance
