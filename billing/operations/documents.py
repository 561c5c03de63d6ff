"""Invoices and credit notes: issued with the sale and the refund, numbered without a gap, never changed."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from billing import queries
from billing.models import Invoice, InvoiceSeries, Order, Refund
from kpplatform.tenancy.once import insert_once
from kpplatform.tenancy.scope import current_tenant

Kind = Invoice.Kind
LETTERS = {Kind.INVOICE: "INV", Kind.CREDIT_NOTE: "CN"}


@transaction.atomic
def issue_invoice(*, order: Order, at: datetime) -> Invoice:
    """Bill a paid order, once. The order is held by the caller."""
    if issued := Invoice.objects.filter(order=order, kind=Kind.INVOICE).first():
        return issued
    lines = [
        {"title": line.title, "amount": line.amount, "tax": line.tax}
        for line in order.lines.select_related("item", "product", "creator").order_by("pk")
    ]
    return _issued(Kind.INVOICE, order, lines, buyer=queries.billed_to(order.viewer), at=at)


@transaction.atomic
def issue_credit_note(*, refund: Refund, at: datetime) -> Invoice | None:
    """Credit what was given back of a billed order, once; None for what was never billed."""
    if issued := Invoice.objects.filter(refund=refund).first():
        return issued
    billed = Invoice.objects.filter(order=refund.line.order_id, kind=Kind.INVOICE).select_related("order").first()
    if billed is None:
        return None
    line = {"title": refund.line.title, "amount": refund.amount, "tax": refund.tax, "invoice": str(billed)}
    return _issued(Kind.CREDIT_NOTE, billed.order, [line], buyer=billed.buyer, at=at, refund=refund)


def _issued(
    kind: Invoice.Kind,
    order: Order,
    lines: list[dict[str, Any]],
    *,
    buyer: dict[str, Any],
    at: datetime,
    refund: Refund | None = None,
) -> Invoice:
    tenant = current_tenant()
    series = f"{LETTERS[kind]}-{at.astimezone(ZoneInfo(tenant.time_zone)).year}"
    sums = {name: sum(line[name] for line in lines) for name in ("amount", "tax")}
    told = {"seller": queries.seller(), "buyer": buyer, "lines": lines, "currency": order.currency, "issued_at": at}
    number = _next(series)
    return Invoice.objects.create(kind=kind, series=series, number=number, order=order, refund=refund, **sums, **told)


def _next(series: str) -> int:
    """Count on. The row is held until the invoice is written or all of it is taken back, so that no number is lost."""
    insert_once(InvoiceSeries, series=series, last=0)
    counter = InvoiceSeries.objects.select_for_update(no_key=True).get(series=series)
    counter.last += 1
    counter.save(update_fields=["last"])
    return counter.last
