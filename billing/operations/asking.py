"""A question that is paid: noted with its order, asked with the payment, given back with a refund."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from billing.models import Consultation, ConsultationEntry, ConsultationOffer, OrderLine, Product, StateChange
from billing.operations.said import Said
from kpplatform.errors import Conflict, Invalid
from kpplatform.jobs.operations import enqueue
from kpplatform.tenancy.models import Member

LONGEST_TEXT = 4_000
State = Consultation.State


class NobodyAnswers(Conflict):
    code = "nobody_answers"


class BadIntake(Invalid):
    code = "bad_intake"


def check(_viewer: Member, product: Product, _at: datetime) -> None:
    """Raise NobodyAnswers for a product without a creator or a promise."""
    if not product.creator_id or not ConsultationOffer.objects.filter(product=product).exists():
        raise NobodyAnswers(f"Nobody answers {product}.")


def note(line: OrderLine, said: Said, _at: datetime) -> None:
    """Keep what the form asked for. Raises BadIntake when it was not filled in."""
    offer = ConsultationOffer.objects.get(product=line.product_id)
    must_fill(offer.form, said.intake)
    Consultation.objects.create(
        line=line,
        offer=offer,
        viewer=line.order.viewer,
        creator=line.creator,
        intake=dict(said.intake),
        follow_ups_left=offer.follow_ups,
    )


def ask(line: OrderLine, source: str, at: datetime) -> None:
    """Put the question to its creator, with all the time that was promised; it was paid, or could not be given back.

    What had been answered is answered again. The money matures with an answer only.
    """
    asked = Consultation.objects.select_related("offer").get(line=line)
    if ConsultationEntry.objects.filter(consultation=asked, kind=ConsultationEntry.Kind.ANSWER).exists():
        move(asked, State.ANSWERED, by=None, why=f"not given back: {source}", at=at)
        return
    asked.due_at = at + timedelta(hours=asked.offer.hours)
    move(asked, State.ASKED, by=asked.viewer, why=source, at=at, also=["due_at"])
    OrderLine.objects.filter(pk=line.pk).update(matures_at=None)
    enqueue("billing.tasks.expire_consultation", due_at=asked.due_at, consultation_id=asked.pk)


def drop(line: OrderLine, source: str, at: datetime) -> None:
    """Ask no longer: all of the money was given back."""
    asked = Consultation.objects.get(line=line)
    if asked.state not in {State.EXPIRED, State.CANCELLED}:
        move(asked, State.CANCELLED, by=None, why=f"given back: {source}", at=at)


def is_unanswered(line: OrderLine) -> bool:
    """Tell whether the buyer may have the money back: at any time before the answer, not after it."""
    unanswered = (State.ASKED, State.EXPIRED)
    return Consultation.objects.filter(line=line, state__in=unanswered).exists()


def move(
    asked: Consultation,
    after: Consultation.State,
    *,
    by: Member | None,
    why: str,
    at: datetime,
    also: Sequence[str] = (),
) -> None:
    """Change the state, and note who did it, when and why."""
    change = {"before": asked.state, "after": after, "by": by, "why": why[:200], "changed_at": at}
    StateChange.objects.create(of=StateChange.Of.CONSULTATION, row=asked.pk, **change)
    asked.state = after
    asked.save(update_fields=["state", *also])


def must_fill(form: list[dict[str, Any]], intake: Mapping[str, Any]) -> None:
    """Raise BadIntake unless every field that is required is there, each is of its type, and no other is."""
    fields = {field["name"]: field for field in form}
    for name, value in intake.items():
        if name not in fields or not _fits(fields[name], value):
            raise BadIntake(f"{name} is not what the form asks for.")
    if missing := [name for name, field in fields.items() if field["required"] and intake.get(name) in {None, ""}]:
        raise BadIntake(f"The form asks for {', '.join(missing)}.")


def _fits(field: dict[str, Any], value: Any) -> bool:
    if field["type"] == "number":
        return type(value) in {int, float} and abs(value) < 10**15
    if field["type"] == "choice":
        return value in field["choices"]
    return isinstance(value, str) and len(value) <= LONGEST_TEXT and "\0" not in value
