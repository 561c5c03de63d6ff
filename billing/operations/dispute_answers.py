"""Answering disputes: evidence is collected, submitted once, or the dispute is accepted."""

from datetime import datetime, timedelta
from uuid import uuid4

from django.db import transaction

from billing import providers, queries
from billing.models import Dispute, DisputeAnswer, DisputeEvidence
from billing.operations.backoff import again
from billing.operations.crash import crash_here
from billing.operations.disputes import note_dispute
from billing.operations.offline import BEGINS, MOST_BYTES
from billing.operations.orders import held
from billing.operations.staff import StaffOnly
from billing.providers import Evidence
from kpplatform.errors import Conflict, Invalid
from kpplatform.jobs.operations import enqueue
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant

State, Kind = DisputeAnswer.State, DisputeEvidence.Kind
LONGEST, MOST_PIECES = queries.LONGEST_EVIDENCE, 20
FIRST_QUESTION, LATEST_QUESTION = timedelta(seconds=30), timedelta(hours=1)


class BadEvidence(Invalid):
    code = "bad_evidence"


class NothingToSay(Conflict):
    code = "nothing_to_say"


class DisputeOver(Conflict):
    code = "dispute_over"


class AnswerUnderWay(Conflict):
    code = "answer_under_way"


class AnswerKeyTaken(Conflict):
    code = "answer_key_taken"


@transaction.atomic
def add_evidence(
    *, dispute: Dispute, by: Member, kind: str, text: str = "", content: bytes = b"", at: datetime
) -> DisputeEvidence:
    """Keep something that speaks against a dispute; receipt and access log are written from our own rows.

    Raises StaffOnly for who neither runs the tenant nor sold any of it, or, of our own rows, not all of it;
    DisputeOver and BadEvidence.
    """
    is_of_all = kind in {Kind.RECEIPT, Kind.ACCESS_LOG}
    _must_be_theirs(dispute, by, is_of_all=is_of_all)
    dispute = _open(dispute)
    if is_of_all:
        text = queries.receipt_of(dispute) if kind == Kind.RECEIPT else queries.access_log_of(dispute)
    type_ = next((name for start, name in BEGINS.items() if content.startswith(start)), "")
    is_file = kind == Kind.FILE
    if is_file != bool(content) or is_file != bool(type_) or is_file == bool(text.strip()):
        raise BadEvidence("Evidence is a text, or a PNG, a JPEG or a PDF.")
    if len(content) > MOST_BYTES or len(text) > LONGEST or dispute.evidence.count() >= MOST_PIECES:
        raise BadEvidence(f"At most {MOST_PIECES} pieces of {LONGEST} characters or {MOST_BYTES} bytes are kept.")
    return DisputeEvidence.objects.create(
        dispute=dispute, kind=kind, text=text.strip(), content=content, content_type=type_, by=by, added_at=at
    )


@transaction.atomic
def submit_evidence(*, dispute: Dispute, by: Member, key: str, at: datetime) -> DisputeAnswer:
    """Have the provider told all the evidence that there is by now. The same key gives the same answer.

    It is told once, so that who sold a part of it does not speak for the others. Raises StaffOnly, DisputeOver,
    AnswerUnderWay, AnswerKeyTaken and NothingToSay.
    """
    _must_be_theirs(dispute, by, is_of_all=True)
    last = dispute.evidence.order_by("-pk").first()
    if last is None:
        raise NothingToSay("There is no evidence yet.")
    return _asked(dispute, DisputeAnswer.Kind.EVIDENCE, by=by, key=key, up_to=last, at=at)


@transaction.atomic
def accept_dispute(*, dispute: Dispute, by: Member, key: str, at: datetime) -> DisputeAnswer:
    """Let the buyer have the money, or say that a complaint is settled: only staff may.

    The same key gives the same answer. Raises StaffOnly, DisputeOver, AnswerUnderWay and AnswerKeyTaken.
    """
    if not by.runs_the_tenant:
        raise StaffOnly("Only the tenant's staff give a dispute up.")
    return _asked(dispute, DisputeAnswer.Kind.ACCEPT, by=by, key=key, up_to=None, at=at)


def _asked(
    dispute: Dispute, kind: str, *, by: Member, key: str, up_to: DisputeEvidence | None, at: datetime
) -> DisputeAnswer:
    held(dispute.payment.order)
    if asked := DisputeAnswer.objects.filter(dispute=dispute, asked_by=by, asked_key=key).first():
        if asked.kind != kind:
            raise AnswerKeyTaken("Something else was said under this key.")
        return asked
    dispute = _open(dispute)
    if DisputeAnswer.objects.filter(dispute=dispute, state__in=DisputeAnswer.OPEN).exists():
        raise AnswerUnderWay("The provider is being told something already.")
    told = {"kind": kind, "key": f"da_{uuid4().hex}", "asked_by": by, "asked_key": key, "up_to": up_to}
    answer = DisputeAnswer.objects.create(dispute=dispute, asked_at=at, **told)
    enqueue("billing.tasks.send_dispute_answer", answer_id=answer.pk)
    return answer


@transaction.atomic
def begin_dispute_answer(*, answer: DisputeAnswer, at: datetime) -> bool:
    """Write down that the provider is about to be told, and tell whether it may be: this comes to rest before the call.

    If it was written down before, somebody died on the way: then the provider is asked, never told again.
    """
    answer = _held(answer)
    if answer.state == State.SUBMITTED:
        _unknown(answer, at)
    if answer.state != State.ASKED:
        return False
    _to(answer, State.SUBMITTED)
    return True


@transaction.atomic
def send_dispute_answer(*, answer: DisputeAnswer, at: datetime) -> None:
    """Tell the provider, right after `begin_dispute_answer` has said so."""
    answer = _held(answer)
    if answer.state != State.SUBMITTED:
        return
    dispute = answer.dispute
    there = providers.disputes_at(current_tenant(), dispute.payment.provider)
    crash_here("before_dispute_answer")
    try:
        if answer.kind == DisputeAnswer.Kind.ACCEPT:
            there.accept_dispute(key=answer.key, reference=dispute.reference)
        else:
            there.answer_dispute(key=answer.key, reference=dispute.reference, evidence=_evidence(answer))
    except providers.ProviderUnavailable:
        _unknown(answer, at)
        return
    except providers.ProviderRefused as error:
        _to(answer, State.FAILED, reason=error.detail, at=at)
        return
    crash_here("after_dispute_answer")
    _to(answer, State.DONE, at=at)
    about = {"provider": dispute.payment.provider, "reference": dispute.reference}
    enqueue("billing.tasks.hear_of_dispute", **about)


@transaction.atomic
def resolve_dispute_answer(*, answer: DisputeAnswer, at: datetime) -> None:
    """Ask the provider whether it was told. If it was not, it may be, under the same key."""
    answer = _held(answer)
    if answer.state != State.UNKNOWN:
        return
    dispute = answer.dispute
    there = providers.disputes_at(current_tenant(), dispute.payment.provider)
    try:
        found = there.query_disputes(reference=dispute.reference)
    except providers.ProviderUnavailable:
        _ask_later(answer, at)
        return
    names = {dispute.payment.key, dispute.payment.reference}
    said = next((each for each in found if (each.key or each.paid) in names), None)
    is_accepted = answer.kind == DisputeAnswer.Kind.ACCEPT and said is not None and said.stand.value in Dispute.OVER
    if said and (answer.key in said.answers or is_accepted):
        _to(answer, State.DONE, at=at)
        note_dispute(provider=dispute.payment.provider, said=said, by=answer.asked_by, at=at)
    else:
        _to(answer, State.ASKED)
        enqueue("billing.tasks.send_dispute_answer", due_at=at, answer_id=answer.pk)


def _evidence(answer: DisputeAnswer) -> Evidence:
    pieces = answer.dispute.evidence.filter(pk__lte=answer.up_to_id).order_by("pk")
    said = {kind: "\n\n".join(piece.text for piece in pieces if piece.kind == kind) for kind in Kind}
    files = [piece for piece in pieces if piece.kind == Kind.FILE]
    file = files[-1] if files else None  # providers take one: the latest
    return Evidence(
        words=said[Kind.TEXT],
        receipt=said[Kind.RECEIPT],
        access_log=said[Kind.ACCESS_LOG],
        file=bytes(file.content) if file else b"",
        file_type=file.content_type if file else "",
    )


def _must_be_theirs(dispute: Dispute, by: Member, *, is_of_all: bool) -> None:
    if by.runs_the_tenant:
        return
    if not dispute.payment.order.lines.filter(creator__member=by).exists():
        raise StaffOnly("Only the tenant's staff and who has sold it say something about a dispute.")
    if is_of_all and not queries.is_all_sold_by(by, dispute):
        raise StaffOnly("Others have sold a part of it as well: the tenant's staff do this.")


def _open(dispute: Dispute) -> Dispute:
    """Return the dispute as it is now; its order is held. Raises DisputeOver."""
    held(dispute.payment.order)
    dispute = Dispute.objects.select_related("payment__order__viewer").get(pk=dispute.pk)
    if dispute.state in Dispute.OVER:
        raise DisputeOver(f"This dispute is {dispute.state}.")
    return dispute


def _held(answer: DisputeAnswer) -> DisputeAnswer:
    """Return the answer as it is now; the disputed order is held."""
    held(answer.dispute.payment.order)
    return DisputeAnswer.objects.select_related("dispute__payment__order__viewer", "asked_by").get(pk=answer.pk)


def _to(answer: DisputeAnswer, state: str, *, reason: str = "", at: datetime | None = None) -> None:
    answer.state, answer.reason, answer.done_at = state, reason[:200], at
    answer.save(update_fields=["state", "reason", "done_at"])


def _unknown(answer: DisputeAnswer, at: datetime) -> None:
    _to(answer, State.UNKNOWN)
    _ask_later(answer, at)


def _ask_later(answer: DisputeAnswer, at: datetime) -> None:
    due = again(at=at, since=answer.asked_at, first=FIRST_QUESTION, latest=LATEST_QUESTION)
    enqueue("billing.tasks.resolve_dispute_answer", due_at=due, answer_id=answer.pk)
