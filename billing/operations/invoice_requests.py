"""发票: asked for by the buyer, issued or rejected by staff."""

from datetime import datetime

from django.db import transaction

from billing.models import InvoiceRequest, Order, StateChange
from billing.operations.orders import held
from billing.operations.tax_ids import checked_tax_id
from kpplatform.errors import Conflict, Forbidden
from kpplatform.tenancy.models import Member

State = InvoiceRequest.State


class NotYoursToAsk(Forbidden):
    code = "not_yours_to_ask"


class StaffIssue(Forbidden):
    code = "staff_issue"


class NothingToBill(Conflict):
    code = "nothing_to_bill"


class AskedBefore(Conflict):
    code = "asked_before"


class Decided(Conflict):
    code = "decided"


@transaction.atomic
def ask_for_invoice(*, order: Order, by: Member, title: str, tax_id: str = "", at: datetime) -> InvoiceRequest:
    """Ask for the 发票 of a paid order, to a person, or with a tax id to a company.

    Raises NotYoursToAsk, BadTaxId, NothingToBill, and AskedBefore unless that was rejected.
    """
    if order.viewer_id != by.pk:
        raise NotYoursToAsk("Only who bought it asks for the invoice.")
    tax_id = checked_tax_id(tax_id, place="CN") if tax_id else ""
    now = held(order)
    if now.state != Order.State.PAID or not now.amount:
        raise NothingToBill("Nothing was paid for this order, or all of it was given back.")
    if InvoiceRequest.objects.filter(order=order).exclude(state=State.REJECTED).exists():
        raise AskedBefore("The invoice of this order was asked for.")
    asked = InvoiceRequest.objects.create(order=order, viewer=by, title=title, tax_id=tax_id, asked_at=at)
    _note(asked, before="", by=by, why="", at=at)
    return asked


@transaction.atomic
def issue_requested(*, asked: InvoiceRequest, by: Member, number: str, at: datetime) -> InvoiceRequest:
    """Say which 发票 was issued. Raises StaffIssue and Decided."""
    return _decide(asked, State.ISSUED, by=by, number=number, at=at)


@transaction.atomic
def reject_requested(*, asked: InvoiceRequest, by: Member, reason: str, at: datetime) -> InvoiceRequest:
    """Say why there is none; it may be asked for again. Raises StaffIssue and Decided."""
    return _decide(asked, State.REJECTED, by=by, reason=reason, at=at)


def _decide(
    asked: InvoiceRequest, state: InvoiceRequest.State, *, by: Member, number: str = "", reason: str = "", at: datetime
) -> InvoiceRequest:
    if not by.runs_the_tenant:
        raise StaffIssue("Only the tenant's staff decide this.")
    asked = InvoiceRequest.objects.select_for_update(no_key=True).get(pk=asked.pk)
    if asked.state != State.ASKED:
        raise Decided(f"This was {asked.state} before.")
    before, asked.state, asked.number, asked.reason = asked.state, state, number, reason
    asked.save(update_fields=["state", "number", "reason"])
    _note(asked, before=before, by=by, why=reason or number, at=at)
    return asked


def _note(asked: InvoiceRequest, *, before: str, by: Member, why: str, at: datetime) -> None:
    change = {"before": before, "after": asked.state, "by": by, "why": why, "changed_at": at}
    StateChange.objects.create(of=StateChange.Of.INVOICE_REQUEST, row=asked.pk, **change)
