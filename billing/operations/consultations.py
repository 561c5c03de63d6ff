"""Asking and answering for money: offered, answered in versions, asked again, rated; given back when too late."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from billing.models import Consultation, ConsultationEntry, ConsultationOffer, OfferChange, OrderLine, Product
from billing.money import Money
from billing.operations.asking import move
from billing.operations.crash import crash_here
from billing.operations.orders import held
from billing.operations.products import must_be_a_price, must_sell
from billing.operations.refunds import refund
from billing.operations.terms import WINDOW
from creators.models import Creator
from kpplatform.errors import Conflict, Forbidden, Invalid
from kpplatform.tenancy.models import Member

MOST_HOURS, MOST_FOLLOW_UPS, MOST_FIELDS, MOST_LINKS = 24 * 90, 20, 30, 20
TYPES = ("text", "number", "choice")
State, Kind = Consultation.State, ConsultationEntry.Kind


class BadForm(Invalid):
    code = "bad_form"


class NotYourConsultation(Forbidden):
    code = "not_your_consultation"


class NotNow(Conflict):
    code = "not_now"


class TooLate(Conflict):
    code = "too_late"


@transaction.atomic
def offer_consultation(
    *,
    by: Member,
    creator: Creator,
    kind: ConsultationOffer.Kind,
    title: str,
    amount: Money,
    form: Sequence[dict[str, Any]],
    hours: int,
    follow_ups: int = 0,
    description: str = "",
    at: datetime,
) -> ConsultationOffer:
    """Answer questions, make plans or works to order from now on, at this price and within so many hours.

    Raises NotYours, NoSuchPrice, WrongCurrency and BadForm.
    """
    must_sell(creator, by)
    must_be_a_price(amount)
    if not 0 < hours <= MOST_HOURS or not 0 <= follow_ups <= MOST_FOLLOW_UPS:
        raise BadForm(f"An answer is given within {MOST_HOURS} hours, and asked again {MOST_FOLLOW_UPS} times at most.")
    _must_be_a_form(form)
    said: dict[str, Any] = {"kind": Product.Kind.CONSULTATION.value, "title": title, "description": description}
    said |= {"amount": amount.minor, "currency": amount.currency}
    product = Product.objects.create(creator=creator, made_at=at, **said)
    promised = {"form": list(form), "hours": hours, "follow_ups": follow_ups}
    OfferChange.objects.create(product=product, by=by, before={}, after=said | promised, changed_at=at)
    return ConsultationOffer.objects.create(product=product, kind=kind, **promised)


def _must_be_a_form(form: Sequence[dict[str, Any]]) -> None:
    names = [field["name"] for field in form]
    if len(names) > MOST_FIELDS or len(set(names)) < len(names):
        raise BadForm(f"A form has {MOST_FIELDS} fields at most, each of another name.")
    for field in form:
        if field["type"] not in TYPES or (field["type"] == "choice") != bool(field.get("choices")):
            raise BadForm(f"{field['name']} is a text, a number or a choice, and only a choice has some.")


@transaction.atomic
def answer(
    *, consultation: Consultation, by: Member, body: str, links: Sequence[str] = (), at: datetime
) -> ConsultationEntry:
    """Answer, or answer better: each answer is a new version. With the first, the money is earned.

    Raises NotYourConsultation, TooLate after the time that was promised, and NotNow.
    """
    asked = _held(consultation)
    if asked.creator.member_id != by.pk and not by.runs_the_tenant:
        raise NotYourConsultation("Only its creator and the tenant's staff answer.")
    _must_be(asked, State.ASKED, State.ANSWERED, State.FOLLOWED_UP)
    if asked.state == State.ASKED:
        if asked.due_at is None or at >= asked.due_at:
            raise TooLate("It was not answered in time: the money goes back.")
        OrderLine.objects.filter(pk=asked.line_id).update(matures_at=at + WINDOW)
    entry = _written(asked, Kind.ANSWER, by, body=body, links=links, at=at)
    move(asked, State.ANSWERED, by=by, why=f"answer {entry.version}", at=at)
    return entry


@transaction.atomic
def follow_up(*, consultation: Consultation, by: Member, body: str, at: datetime) -> ConsultationEntry:
    """Ask again about what was answered, as often as was promised. Raises NotYourConsultation and NotNow."""
    asked = _held(consultation)
    _must_be_the_buyer(asked, by)
    _must_be(asked, State.ANSWERED)
    if not asked.follow_ups_left:
        raise NotNow("It was not promised that more is answered.")
    asked.follow_ups_left -= 1
    entry = _written(asked, Kind.FOLLOW_UP, by, body=body, links=(), at=at)
    move(asked, State.FOLLOWED_UP, by=by, why=f"follow-up {entry.version}", at=at, also=["follow_ups_left"])
    return entry


@transaction.atomic
def close_consultation(*, consultation: Consultation, by: Member, why: str, at: datetime) -> Consultation:
    """Have it answered no further: its buyer or staff. Raises NotYourConsultation and NotNow."""
    asked = _held(consultation)
    if not by.runs_the_tenant:
        _must_be_the_buyer(asked, by)
    _must_be(asked, State.ANSWERED, State.FOLLOWED_UP)
    move(asked, State.CLOSED, by=by, why=why, at=at)
    return asked


@transaction.atomic
def rate_consultation(*, consultation: Consultation, by: Member, rating: int) -> Consultation:
    """Say how good the answer was, from 1 to 5; the last word counts. Raises NotYourConsultation and NotNow."""
    asked = _held(consultation)
    _must_be_the_buyer(asked, by)
    _must_be(asked, State.ANSWERED, State.FOLLOWED_UP, State.CLOSED)
    asked.rating = rating
    asked.save(update_fields=["rating"])
    return asked


@transaction.atomic
def expire_consultation(*, consultation: Consultation, at: datetime) -> bool:
    """Give all of the money back if it is not answered by now; once. Tell whether that was so."""
    asked = _held(consultation)
    if asked.state != State.ASKED or asked.due_at is None or at < asked.due_at:
        return False
    move(asked, State.EXPIRED, by=None, why="not answered in time", at=at)
    crash_here("after_expiry")
    key = f"expired:{asked.pk}:{asked.due_at.isoformat()}"
    if asked.line.left:
        refund(line=asked.line, by=asked.viewer, amount=None, key=key, at=at)
    crash_here("after_expiry_refund")
    return True


def _held(consultation: Consultation) -> Consultation:
    """Return the consultation as it is now; its order is held, as for whatever else becomes of the money."""
    held(consultation.line.order)
    return Consultation.objects.select_related("line__order__viewer", "viewer", "creator").get(pk=consultation.pk)


def _written(
    asked: Consultation, kind: ConsultationEntry.Kind, by: Member, *, body: str, links: Sequence[str], at: datetime
) -> ConsultationEntry:
    version = ConsultationEntry.objects.filter(consultation=asked, kind=kind).count() + 1
    told = {"kind": kind, "version": version, "body": body, "links": list(links)}
    return ConsultationEntry.objects.create(consultation=asked, by=by, written_at=at, **told)


def _must_be(asked: Consultation, *states: str) -> None:
    if asked.state not in states:
        raise NotNow(f"This consultation is {asked.state}.")


def _must_be_the_buyer(asked: Consultation, by: Member) -> None:
    if asked.viewer_id != by.pk:
        raise NotYourConsultation("Only who asked may do this.")
