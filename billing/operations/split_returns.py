"""Asking receivers for what was given to them and then given back to buyers. What does not come back stays a debt."""

from datetime import datetime
from uuid import uuid4

from django.db import transaction

from billing import ledger, providers
from billing.models import Account, Journal, Split, SplitReturn
from billing.models.splits import SplitState
from billing.money import Money
from billing.operations.crash import crash_here
from billing.operations.earnings import credited, taken_before
from billing.operations.orders import held
from billing.operations.split_receivers import receiver_of
from billing.operations.split_states import ask_later, lose_sight, move, note, tell_again
from billing.providers import Given, GivenBack, Outcome
from kpplatform.jobs.operations import enqueue
from kpplatform.tenancy.scope import current_tenant

Kind, State = Account.Kind, SplitState


@transaction.atomic
def ask_back(*, split: Split, at: datetime) -> SplitReturn | None:
    """Ask the receiver for what refunds and disputes of this payment have left as a debt, as far as it was not asked.

    None when there is nothing to ask for.
    """
    split = _locked(split)
    if split.state != Split.State.DONE:
        return None
    lines = [line.pk for line in split.order.payment.order.lines.order_by("pk")]
    debt = ledger.creators(Kind.CLAWBACK, split.creator_id, split.currency)
    owed = sum(minor for (_, name), minor in taken_before(lines).items() if name == str(debt))
    asked = sum(each.amount for each in split.returns.order_by("pk"))
    least = min(owed - asked, split.amount - asked, -ledger.held(debt).minor)
    if least <= 0:
        return None
    back = SplitReturn.objects.create(split=split, key=f"sr_{uuid4().hex}", amount=least, asked_at=at)
    note(back, before="", at=at)
    enqueue("billing.tasks.send_split_return", return_id=back.pk)
    return back


@transaction.atomic
def begin_split_return(*, back: SplitReturn, at: datetime) -> bool:
    """Write down that the provider is about to be told; tell whether it may be. See `begin_split`."""
    back = _held(back)
    if back.state == State.SUBMITTED:
        lose_sight(back, at)
    if back.state != State.ASKED:
        return False
    move(back, State.SUBMITTED, at=at)
    return True


@transaction.atomic
def send_split_return(*, back: SplitReturn, at: datetime) -> None:
    """Tell the provider to take it back, right after `begin_split_return` has said so."""
    back = _held(back)
    if back.state != State.SUBMITTED:
        return
    there, given = providers.split_at(current_tenant(), back.split.order.payment.provider), _given(back)
    amount, is_person = Money(back.amount, back.split.currency), receiver_of(back.split.receiver).is_person
    crash_here("before_return_call")
    try:
        said = there.take_back(
            key=back.key, split=back.split.order.key, given=given, amount=amount, is_person=is_person
        )
    except providers.ProviderUnavailable:
        lose_sight(back, at)
        return
    except providers.ProviderRefused as error:
        move(back, State.FAILED, why=error.detail, at=at)
        return
    crash_here("after_return_call")
    _obey(back, said, at)


@transaction.atomic
def resolve_split_return(*, back: SplitReturn, at: datetime) -> None:
    """Ask the provider what became of it. If it knows nothing, it may be told, under the same key."""
    back = _held(back)
    if back.state not in {State.UNKNOWN, State.SUBMITTED}:
        return
    there = providers.split_at(current_tenant(), back.split.order.payment.provider)
    try:
        said = there.query_return(key=back.key, split=back.split.order.key, given=_given(back))
    except providers.ProviderUnavailable:
        ask_later(back, at)
        return
    if said:
        _obey(back, said, at)
    else:
        tell_again(back, at)


def _obey(back: SplitReturn, said: GivenBack, at: datetime) -> None:
    if said.outcome == Outcome.PENDING:
        move(back, State.SUBMITTED, why="pending", at=at)
        ask_later(back, at)
        return
    if said.outcome == Outcome.FAILED:
        move(back, State.FAILED, why=said.reason or "refused", at=at)
        return
    split = back.split
    owner = ledger.creators(Kind.AVAILABLE, split.creator_id, split.currency)
    moved = credited(ledger.clearing(split.currency), owner, Money(back.amount, split.currency))
    kind = Journal.Kind.SPLIT_RETURNED
    back.journal = ledger.post(kind=kind, key=f"split-returned:{back.key}", transfers=moved, at=at)
    split.returned += back.amount
    split.state = Split.State.RETURNED if split.returned == split.amount else Split.State.DONE
    split.save()
    back.reference = said.reference
    move(back, State.DONE, at=at)


def _given(back: SplitReturn) -> Given:
    split = back.split
    return Given(receiver_of(split.receiver).account, split.money, Outcome.PAID, reference=split.reference)


def _locked(split: Split) -> Split:
    """Return the split as it is now; the paid order is held."""
    held(split.order.payment.order)
    return Split.objects.select_related("order__payment__order__viewer", "receiver").get(pk=split.pk)


def _held(back: SplitReturn) -> SplitReturn:
    held(back.split.order.payment.order)
    return SplitReturn.objects.select_related("split__order__payment__order__viewer", "split__receiver").get(pk=back.pk)
