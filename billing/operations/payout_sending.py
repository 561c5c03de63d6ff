"""Sending payouts: told once, and asked about when it is not known what became of them."""

from datetime import datetime, timedelta

from django.db import transaction

from billing import providers
from billing.models import Payout
from billing.operations.backoff import again
from billing.operations.crash import crash_here
from billing.operations.holds import is_held
from billing.operations.payments import webhook_url
from billing.operations.payout_accounts import destination_of
from billing.operations.payouts import State, held, moved_to, settle_failed, settle_paid, settle_reversed
from billing.providers import Outcome
from kpplatform.jobs.operations import enqueue
from kpplatform.tenancy.scope import current_tenant

FIRST_QUESTION, LATEST_QUESTION = timedelta(seconds=30), timedelta(hours=1)


@transaction.atomic
def begin_payout(*, payout: Payout, at: datetime) -> bool:
    """Write down that the provider is about to be told, and tell whether it may be: this comes to rest before the call.

    If it was written down before, somebody died on the way: then the provider is asked what it knows, never told again.
    """
    payout = held(payout)
    if payout.state == State.SUBMITTED and not payout.reference:
        _unknown(payout, at)
    if payout.state != State.APPROVED or is_held(payout.creator_id):
        return False
    payout.submitted_at = payout.submitted_at or at  # since when: told again and again, it is told ever more seldom
    moved_to(payout, State.SUBMITTED, by=None, at=at)
    return True


@transaction.atomic
def send_payout(*, payout: Payout, at: datetime) -> None:
    """Tell the provider to pay, right after `begin_payout` has said so."""
    payout = held(payout)
    if payout.state != State.SUBMITTED or payout.reference:
        return
    crash_here("before_payout_call")
    try:
        sent = _rail(payout).payout(
            key=payout.key,
            amount=payout.money,
            to=destination_of(payout.account),
            webhook_url=webhook_url(payout.account.rail),
        )
    except providers.ProviderUnavailable:
        _unknown(payout, at)
        return
    except providers.ProviderRefused as error:
        _refused(payout, error.detail, at)
        return
    crash_here("after_payout_call")
    _obey(payout, sent, at)
    crash_here("after_payout_post")


def _refused(payout: Payout, why: str, at: datetime) -> None:
    """Ask before it is believed: the provider may refuse this request only, and have done what it was asked before."""
    try:
        sent_before = _known(payout)
    except providers.ProviderUnavailable:
        _unknown(payout, at)
        return
    if sent_before:
        _obey(payout, sent_before, at)
    else:
        settle_failed(payout, by=None, why=why, at=at)


def _known(payout: Payout) -> providers.SentPayout | None:
    """Return what the provider knows of the payout. Raises ProviderUnavailable, also when it refuses to say."""
    try:
        return _rail(payout).query_payout(key=payout.key)
    except providers.ProviderRefused as no:
        raise providers.ProviderUnavailable(no.detail) from no


def _rail(payout: Payout) -> providers.Rail:
    """Return by which rail it goes. Raises ProviderUnavailable while the tenant has lost its account there."""
    try:
        return providers.rail_of(current_tenant(), payout.account.rail)
    except providers.NotConnected as no:
        raise providers.ProviderUnavailable(no.detail) from no


@transaction.atomic
def resolve_payout(*, payout: Payout, at: datetime) -> None:
    """Ask the provider what became of the payout. If it knows nothing of it, it may be told, under the same key."""
    payout = held(payout)
    if payout.state not in {State.UNKNOWN, State.SUBMITTED}:
        return
    try:
        sent = _known(payout)
    except providers.ProviderUnavailable:
        _ask_later(payout, at)
        return
    if sent:
        _obey(payout, sent, at)
    elif payout.state == State.SUBMITTED:
        _ask_later(payout, at)
    else:
        moved_to(payout, State.APPROVED, by=None, why="the provider knows nothing of it", at=at)
        enqueue("billing.tasks.send_payout", due_at=at, payout_id=payout.pk)


def _obey(payout: Payout, sent: providers.SentPayout, at: datetime) -> None:
    if sent.amount != payout.money:
        raise ValueError(f"{payout} is of {payout.money}; the provider says {sent.amount}.")
    if sent.outcome == Outcome.PAID:
        settle_paid(payout, reference=sent.reference, by=None, at=at)
    elif sent.outcome == Outcome.RETURNED:
        settle_paid(payout, reference=sent.reference, by=None, at=at)
        settle_reversed(payout, by=None, why=sent.reason or "came back", at=at)
    elif sent.outcome == Outcome.FAILED:
        settle_failed(payout, by=None, why=sent.reason or "refused", at=at)
    else:
        if (payout.state, payout.reference) != (State.SUBMITTED, sent.reference):
            payout.reference = sent.reference
            payout.confirmation = sent.confirmation
            moved_to(payout, State.SUBMITTED, by=None, why=sent.reason or "pending", at=at)
        _ask_later(payout, at)


def _unknown(payout: Payout, at: datetime) -> None:
    moved_to(payout, State.UNKNOWN, by=None, why="its answer was lost", at=at)
    _ask_later(payout, at)


def _ask_later(payout: Payout, at: datetime) -> None:
    due = again(at=at, since=payout.submitted_at or at, first=FIRST_QUESTION, latest=LATEST_QUESTION)
    enqueue("billing.tasks.resolve_payout", due_at=due, payout_id=payout.pk)
