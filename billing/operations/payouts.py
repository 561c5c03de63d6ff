"""Payouts: drafted, approved by somebody else above a limit, sent once, and settled by what the provider says."""

from datetime import datetime, timedelta
from uuid import uuid4

from django.db import transaction
from django.db.models import Q, Sum

from billing import ledger, providers
from billing.models import Account, Journal, Payout, PayoutAccount, PayoutChange
from billing.money import Money
from billing.operations.earnings import credited, of
from billing.operations.holds import must_not_be_held, must_run_the_tenant
from billing.operations.payout_accounts import NotYourMoney
from billing.operations.rules import rules_of
from billing.operations.withholding import due_of, give_back, withhold
from creators.models import Creator
from kpplatform.errors import Conflict, Forbidden
from kpplatform.jobs.operations import enqueue
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant

Kind, State = Account.Kind, Payout.State
# What one person lets go to a creator within this time counts as one payout: a large one in parts is a large one.
TOGETHER = timedelta(days=1)


class NoPayoutAccount(Conflict):
    code = "no_payout_account"


class BelowThreshold(Conflict):
    code = "below_threshold"


class WrongState(Conflict):
    code = "wrong_state"


class FourEyes(Forbidden):
    code = "four_eyes"


class PayoutKeyTaken(Conflict):
    code = "payout_key_taken"


@transaction.atomic
def draft_payout(
    *, creator: Creator, by: Member, currency: str, amount: Money | None, key: str, at: datetime
) -> Payout:
    """Set an amount of what a creator may have aside to be paid out, or all of it. The same key gives the same payout.

    Raises NotYourMoney, PayoutsHeld, NoPayoutAccount, BelowThreshold, NotEnoughMoney and PayoutKeyTaken.
    """
    if creator.member_id != by.pk and not by.runs_the_tenant:
        raise NotYourMoney("Only the creator and the tenant's staff ask for a payout.")
    must_not_be_held(creator.pk)
    if asked := Payout.objects.filter(drafted_by=by, creator=creator, asked_key=key).first():
        if asked.currency != currency or amount not in {None, asked.gross}:
            raise PayoutKeyTaken("Another payout was asked for under this key.")
        return asked
    account = PayoutAccount.objects.filter(creator=creator, currency=currency, withdrawn_at=None).first()
    if account is None:
        raise NoPayoutAccount(f"Nobody has said where this creator is paid in {currency}.")
    available = ledger.available(creator, currency)
    there = ledger.held(available)
    amount = there if amount is None else amount
    least = rules_of(current_tenant()).least_payout(currency)
    if amount < least or not amount:
        raise BelowThreshold(f"{amount} is less than {least}, the least that is paid out.")
    rule, kept = due_of(creator, amount, at)
    if amount == kept:
        raise BelowThreshold(f"All of {amount} would be withheld.")
    ours = f"po_{uuid4().hex}"
    moved = (available, ledger.in_transit(creator, currency), amount - kept)
    payout = Payout(creator=creator, account=account, key=ours, asked_key=key, drafted_by=by, drafted_at=at)
    payout.amount, payout.withheld, payout.withholding, payout.currency = moved[2].minor, kept.minor, rule, currency
    payout.journal = ledger.post(kind=Journal.Kind.PAYOUT, key=f"payout:{ours}", transfers=[moved], at=at)
    payout.save()
    withhold(payout, at)
    note(payout, before="", by=by, why="", at=at)
    return payout


@transaction.atomic
def approve_payout(*, payout: Payout, by: Member, at: datetime) -> Payout:
    """Let a payout leave.

    Raises StaffDecide, WrongState, PayoutsHeld, and FourEyes for who drafted a large one or has said where it goes.
    """
    must_run_the_tenant(by)
    payout = held(payout)
    if payout.state != State.DRAFT:
        raise WrongState(f"This payout is {payout.state}.")
    must_not_be_held(payout.creator_id)
    _must_not_be_alone(payout, by, at)
    payout.approved_by = by
    moved_to(payout, State.APPROVED, by=by, at=at)
    if payout.account.rail != PayoutAccount.Rail.BANK_FILE:
        enqueue("billing.tasks.send_payout", payout_id=payout.pk)
    return payout


@transaction.atomic
def withdraw_payout(*, payout: Payout, by: Member, why: str, at: datetime) -> Payout:
    """Give a payout up that nobody was told of: the creator has the money again. Raises StaffDecide and WrongState."""
    must_run_the_tenant(by)
    payout = held(payout)
    if payout.state not in {State.DRAFT, State.APPROVED} or payout.submitted_at is not None:
        raise WrongState(f"This payout is {payout.state}, or somebody was told of it before.")
    settle_failed(payout, by=by, why=why, at=at)
    return payout


@transaction.atomic
def reverse_payout(*, payout: Payout, by: Member, why: str, at: datetime) -> Payout:
    """Book that the money came back after it was paid; where the provider can, it is told to take it back first.

    Raises StaffDecide, FourEyes and WrongState, and ProviderUnavailable and ProviderRefused: then nothing is booked.
    """
    must_run_the_tenant(by)
    payout = held(payout)
    if payout.state != State.PAID:
        raise WrongState(f"This payout is {payout.state}.")
    must_be_another(payout, by, payout.approved_by_id)
    if payout.account.rail != PayoutAccount.Rail.BANK_FILE:
        rail = providers.rail_of(current_tenant(), payout.account.rail)
        if isinstance(rail, providers.ReversingRail):
            rail.reverse_payout(key=f"{payout.key}-back", reference=payout.reference, amount=payout.money)
    settle_reversed(payout, by=by, why=why, at=at)
    return payout


def held(payout: Payout) -> Payout:
    """Return the payout as it is now; nobody else changes it before the end of the transaction."""
    locked = Payout.objects.select_for_update(no_key=True, of=("self",)).select_related(
        "account", "creator", "withholding"
    )
    return locked.get(pk=payout.pk)


def must_be_another(payout: Payout, by: Member, first: int | None) -> None:
    """Raise FourEyes when a large payout would be decided on by one person alone."""
    if by.pk == first and rules_of(current_tenant()).needs_four_eyes(payout.money):
        raise FourEyes(f"Somebody else has to look at a payout of {payout.money}.")


def _must_not_be_alone(payout: Payout, by: Member, at: datetime) -> None:
    """Raise FourEyes when nobody but the approver had a say in it, this and their others together being large.

    The creator is held, so that two at once do not both find room.
    """
    if by.pk not in {payout.drafted_by_id, payout.account.made_by_id}:
        return
    lately = {"changes__after": State.APPROVED, "changes__by": by, "changes__changed_at__gt": at - TOGETHER}
    others = Payout.objects.filter(Q(drafted_by=by) | Q(account__made_by=by), approved_by=by, **lately)
    others = others.filter(creator=payout.creator_id, currency=payout.currency).exclude(state=State.FAILED)
    sum_of = Payout.objects.filter(pk__in=others.values("pk")).aggregate(all=Sum("amount"))
    whole = payout.money + Money(sum_of["all"] or 0, payout.currency)
    if rules_of(current_tenant()).needs_four_eyes(whole):
        raise FourEyes(f"Somebody else has to look at payouts of {whole}.")


def settle_paid(payout: Payout, *, reference: str, by: Member | None, at: datetime) -> None:
    """Book that a held payout has left."""
    away = (of(owner_of(payout), Kind.IN_TRANSIT), ledger.clearing(payout.currency), payout.money)
    ledger.post(kind=Journal.Kind.PAYOUT_PAID, key=f"payout-paid:{payout.key}", transfers=[away], at=at)
    payout.reference, payout.done_at = reference, at
    moved_to(payout, State.PAID, by=by, at=at)


def settle_failed(payout: Payout, *, by: Member | None, why: str, at: datetime) -> None:
    """Book that a held payout will never leave: it is credited to the creator anew, debts first."""
    back = credited(of(owner_of(payout), Kind.IN_TRANSIT), owner_of(payout), payout.money)
    ledger.post(kind=Journal.Kind.PAYOUT_FAILED, key=f"payout-failed:{payout.key}", transfers=back, at=at)
    payout.reason, payout.done_at = why[:200], at
    moved_to(payout, State.FAILED, by=by, why=why, at=at)


def settle_reversed(payout: Payout, *, by: Member | None, why: str, at: datetime) -> None:
    """Book that a held payout, which was paid, came back."""
    back = credited(ledger.clearing(payout.currency), owner_of(payout), payout.money)
    ledger.post(kind=Journal.Kind.PAYOUT_REVERSED, key=f"payout-reversed:{payout.key}", transfers=back, at=at)
    payout.reason, payout.done_at = why[:200], at
    moved_to(payout, State.REVERSED, by=by, why=why, at=at)


def owner_of(payout: Payout) -> ledger.Name:
    """Return whose the payout is, as one of their accounts."""
    return ledger.creators(Kind.AVAILABLE, payout.creator_id, payout.currency)


def moved_to(payout: Payout, state: str, *, by: Member | None, at: datetime, why: str = "") -> None:
    """Save a held payout in its new state, and who brought it there; what did not leave owes no tax."""
    before, payout.state = payout.state, state
    if state in {State.FAILED, State.REVERSED}:
        give_back(payout, at)
    payout.save()
    note(payout, before=before, by=by, why=why, at=at)


def note(payout: Payout, *, before: str, by: Member | None, why: str, at: datetime) -> None:
    """Write down who changed the payout, when and why."""
    PayoutChange.objects.create(payout=payout, by=by, before=before, after=payout.state, why=why[:200], changed_at=at)
