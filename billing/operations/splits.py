"""Dividing a payment at the provider (分账): planned when all of it has matured, told once, settled by what it says.

At maturity, not at capture: until then buyers may have their money back, and receivers had to be asked for it.
Whatever a provider does not divide stays available, and is paid out.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from billing import ledger, providers
from billing.models import (
    Account,
    Consultation,
    Journal,
    Maturity,
    OrderLine,
    Payment,
    Split,
    SplitOrder,
    SplitReceiver,
)
from billing.models.splits import SplitState
from billing.money import WHOLE_BPS, Money
from billing.operations.crash import crash_here
from billing.operations.earnings import credited, of, taken_before
from billing.operations.holds import is_held
from billing.operations.orders import held
from billing.operations.rules import rules_of
from billing.operations.split_receivers import receiver_of
from billing.operations.split_states import ask_later, lose_sight, move, note, tell_again
from billing.operations.withholding import is_taxed
from billing.providers import Given, Outcome, Share
from kpplatform.jobs.operations import enqueue
from kpplatform.tenancy.scope import current_tenant

Kind, State = Account.Kind, SplitState
Shares = dict[ledger.Name, tuple[SplitReceiver, Money]]  # how much of whose available money goes to whom
# So long after the payment what has matured by then is divided: WeChat's own limit is 30 days.
LATEST = timedelta(days=27)
# A question that is not answered may still be given back.
UNEARNED = (Consultation.State.ASKED, Consultation.State.EXPIRED)


@transaction.atomic
def plan_splits(*, at: datetime) -> int:
    """Set aside what the provider shall give to creators of the next payment that has matured; say of how many: 1 or 0.

    Payment by payment, for its order is held before the ledger is.
    """
    planned = SplitOrder.objects.filter(payment=OuterRef("pk"))
    waits = OrderLine.objects.filter(order=OuterRef("order"), matures_at__isnull=False)
    asked = Consultation.objects.filter(line__order=OuterRef("order"), state__in=UNEARNED)
    unanswered = asked.filter(line__amount__gt=F("line__refunded") + F("line__disputed"))
    is_ripe = (~Exists(waits) & ~Exists(unanswered)) | Q(captured_at__lt=at - LATEST)
    payments = Payment.objects.filter(~Exists(planned), is_ripe, is_split=True, state=Payment.State.CAPTURED)
    payments = payments.filter(provider__in=providers.splitting_for(current_tenant()))
    payment = payments.select_related("order").order_by("pk").first()
    if payment is None:
        return 0
    _plan(payment, at)
    return 1


def _plan(payment: Payment, at: datetime) -> None:
    held(payment.order)
    if SplitOrder.objects.filter(payment=payment).exists():
        return
    there = providers.split_at(current_tenant(), payment.provider)
    is_late = at > (payment.captured_at or at) + there.within
    shares = {} if is_late else _shares(payment, there, at)
    order = SplitOrder(payment=payment, key=f"sp_{uuid4().hex}", asked_at=at)
    if shares:
        moved = [(name, of(name, Kind.IN_TRANSIT), money) for name, (_, money) in shares.items()]
        order.journal = ledger.post(kind=Journal.Kind.SPLIT, key=f"split:{order.key}", transfers=moved, at=at)
    nothing_to_say = not shares and (is_late or not there.freezes)
    order.state = State.DONE if nothing_to_say else State.ASKED
    order.done_at = at if nothing_to_say else None
    order.save()
    note(order, before="", why="too late" if is_late else "", at=at)
    for name, (receiver, money) in shares.items():
        told = {"creator_id": name.creator_id, "receiver": receiver, "amount": money.minor, "currency": money.currency}
        Split.objects.create(order=order, **told)
    if not nothing_to_say:
        enqueue("billing.tasks.send_split", order_id=order.pk)


def _shares(payment: Payment, there: providers.Splitting, at: datetime) -> Shares:
    """Return how much of whose available money the provider may give: up to its ceiling, the largest first.

    Who is left out is paid out: without a receiver, on hold, taxed, or with an account that gets something already.
    """
    earned, theirs = _earned(payment), Shares()
    receivers = _receivers(payment, [name.creator_id or 0 for name in earned], at)
    there_is = ledger.held_all(sorted(earned, key=str))
    least = {name: min(money, there_is[name]) for name, money in earned.items()}
    accounts: set[str] = set()
    for name, money in sorted(least.items(), key=lambda pair: (-pair[1].minor, str(pair[0]))):
        receiver = receivers.get(name.creator_id or 0)
        account = receiver_of(receiver).account if receiver else ""
        if receiver and money.minor > 0 and account not in accounts and len(theirs) < there.most_receivers:
            accounts.add(account)
            theirs[name] = receiver, money
    return _cut(theirs, _ceiling(payment) if there.has_ceiling else payment.money)


def _receivers(payment: Payment, creators: Iterable[int], at: datetime) -> dict[int, SplitReceiver]:
    """Return to whom the provider may give, by creator; no hold is placed before the end of the transaction."""
    free = [creator for creator in sorted(creators) if not is_held(creator)]
    known = SplitReceiver.objects.filter(provider=payment.provider, withdrawn_at=None, registered_at__isnull=False)
    found = known.filter(creator__in=free).select_related("creator").order_by("pk")
    return {each.creator_id: each for each in found if not is_taxed(each.creator, payment.currency, at)}


def _cut(theirs: Shares, most: Money) -> Shares:
    """Return the same, pro rata no more than the ceiling."""
    whole = Money(sum(money.minor for _, money in theirs.values()), most.currency)
    if whole <= most:
        return theirs
    cut = most.apportion([money for _, money in theirs.values()])
    return {name: (who, part) for (name, (who, _)), part in zip(theirs.items(), cut, strict=True) if part}


def _ceiling(payment: Payment) -> Money:
    bps = rules_of(current_tenant()).split_ceiling_bps
    return Money(payment.amount * bps // WHOLE_BPS, payment.currency)


def _earned(payment: Payment) -> dict[ledger.Name, Money]:
    """Return what of this payment has become each creator's to be paid out, less what was taken back of that."""
    lines = [line.pk for line in payment.order.lines.order_by("pk")]
    earned: dict[ledger.Name, int] = {}
    for row in Maturity.objects.filter(line__in=lines).order_by("pk"):
        name = ledger.creators(Kind.AVAILABLE, row.creator_id, row.currency)
        earned[name] = earned.get(name, 0) + row.amount - row.repaid - row.reserved
    taken = taken_before(lines)
    for name in earned:
        earned[name] -= sum(taken.get((line, str(name)), 0) for line in lines)
    return {name: Money(minor, name.currency) for name, minor in earned.items() if minor > 0}


@transaction.atomic
def begin_split(*, order: SplitOrder, at: datetime) -> bool:
    """Write down that the provider is about to be told, and tell whether it may be: this comes to rest before the call.

    If it was written down before, somebody died on the way: then the provider is asked, never told again.
    """
    order = _held(order)
    if order.state == State.SUBMITTED:
        lose_sight(order, at)
    if order.state != State.ASKED:
        return False
    move(order, State.SUBMITTED, at=at)
    return True


@transaction.atomic
def send_split(*, order: SplitOrder, at: datetime) -> None:
    """Tell the provider to divide, right after `begin_split` has said so."""
    order = _held(order)
    if order.state != State.SUBMITTED:
        return
    there, shares = providers.split_at(current_tenant(), order.payment.provider), shares_of(order)
    crash_here("before_split_call")
    try:
        given = there.split(key=order.key, paid=paid_of(order), shares=shares)
    except providers.ProviderUnavailable:
        lose_sight(order, at)
        return
    except providers.ProviderRefused as error:
        before = there.query_split(key=order.key, paid=paid_of(order), shares=shares) if shares else None
        if before is None:
            _refused(order, error.detail, at)
        else:
            _obey(order, before, at)
        return
    crash_here("after_split_call")
    _obey(order, given, at)
    crash_here("after_split_post")


@transaction.atomic
def resolve_split(*, order: SplitOrder, at: datetime) -> None:
    """Ask the provider what became of it. If it knows nothing, it may be told, under the same key."""
    order = _held(order)
    if order.state not in {State.UNKNOWN, State.SUBMITTED}:
        return
    there = providers.split_at(current_tenant(), order.payment.provider)
    try:
        given = there.query_split(key=order.key, paid=paid_of(order), shares=shares_of(order))
    except providers.ProviderUnavailable:
        ask_later(order, at)
        return
    if given is not None:
        _obey(order, given, at)
    else:
        tell_again(order, at)


def _obey(order: SplitOrder, given: list[Given], at: datetime) -> None:
    """Book what each receiver got or did not get; ask again while some are pending."""
    told = {said.account: said for said in given}
    waits = False
    for split in order.splits.filter(state=Split.State.ASKED).select_related("receiver").order_by("pk"):
        said = told.get(receiver_of(split.receiver).account)
        if said is None or said.outcome == Outcome.PENDING:
            waits = True
        elif said.amount != split.money:
            raise ValueError(f"{split} is of {split.money}; the provider says {said.amount}.")
        else:
            _settle(split, said, at)
    if waits:
        move(order, State.SUBMITTED, why="pending", at=at)
        ask_later(order, at)
    else:
        move(order, State.DONE, at=at)


def _settle(split: Split, said: Given, at: datetime) -> None:
    transit = ledger.creators(Kind.IN_TRANSIT, split.creator_id, split.currency)
    if said.outcome == Outcome.PAID:
        away = [(transit, ledger.clearing(split.currency), split.money)]
        ledger.post(kind=Journal.Kind.SPLIT_DONE, key=f"split-done:{split.pk}", transfers=away, at=at)
        split.state, split.reference = Split.State.DONE, said.reference
    else:
        back = credited(transit, of(transit, Kind.AVAILABLE), split.money)
        ledger.post(kind=Journal.Kind.SPLIT_FAILED, key=f"split-failed:{split.pk}", transfers=back, at=at)
        split.state, split.reason = Split.State.FAILED, (said.reason or "refused")[:200]
    split.done_at = at
    split.save()
    if split.state == Split.State.DONE:
        # It may have been given back to the buyer while the provider gave it to the creator.
        enqueue("billing.tasks.ask_back", split_id=split.pk)


def _refused(order: SplitOrder, why: str, at: datetime) -> None:
    """Let creators be paid out instead, and have the rest unfrozen, if the provider keeps it frozen."""
    order.reason = why[:200]
    splits = list(order.splits.filter(state=Split.State.ASKED).order_by("pk"))
    for split in splits:
        _settle(split, Given("", split.money, Outcome.FAILED, reason=why), at)
    if splits and providers.split_at(current_tenant(), order.payment.provider).freezes:
        order.key = f"sp_{uuid4().hex}"
        move(order, State.ASKED, why=why, at=at)
        enqueue("billing.tasks.send_split", order_id=order.pk)
        return
    move(order, State.FAILED, why=why, at=at)


def shares_of(order: SplitOrder) -> list[Share]:
    """Return what the provider is to give to whom."""
    splits = order.splits.exclude(state=Split.State.FAILED).select_related("receiver", "order").order_by("pk")
    return [Share(split.key, receiver_of(split.receiver), split.money) for split in splits]


def paid_of(order: SplitOrder) -> providers.Paid:
    """Return the payment that is divided."""
    payment = order.payment
    return providers.Paid(payment.key, payment.reference, str(payment.order_id), payment.money)


def _held(order: SplitOrder) -> SplitOrder:
    """Return it as it is now; the paid order is held."""
    held(order.payment.order)
    return SplitOrder.objects.select_related("payment__order__viewer").get(pk=order.pk)
