"""Invoices and credit notes: issued with sales, refunds and lost disputes, numbered without a gap, never changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from billing import ledger, queries
from billing.models import Dispute, DisputePart, Invoice, InvoiceSeries, Order, OrderLine, Refund
from kpplatform.tenancy.once import insert_once

Kind = Invoice.Kind
LETTERS = {Kind.INVOICE: "INV", Kind.CREDIT_NOTE: "CN"}


@transaction.atomic
def issue_invoices(*, lines: Sequence[OrderLine], at: datetime) -> list[Invoice]:
    """Bill paid orders, given by all of their lines, once. The orders are held by the caller."""
    orders = {line.order_id: line.order for line in lines}
    billed = Invoice.objects.filter(order__in=orders, kind=Kind.INVOICE).values_list("order_id", flat=True)
    for pk in billed:
        del orders[pk]
    buyers = queries.billed_to([order.viewer for order in orders.values()])
    papers = []
    for pk, order in orders.items():
        sold = [{"title": of.title, "amount": of.amount, "tax": of.tax} for of in lines if of.order_id == pk]
        papers.append(_paper(Kind.INVOICE, order, sold, buyer=buyers[order.viewer_id], at=at))
    return _issued(papers)


@transaction.atomic
def issue_credit_note(*, refund: Refund, at: datetime) -> Invoice | None:
    """Credit what was given back of a billed order, once; None for what was never billed."""
    if issued := Invoice.objects.filter(refund=refund).first():
        return issued
    billed = _invoice_of(refund.line.order_id)
    return _issued([_credit(billed, refund.line, refund, at=at, refund=refund)])[0] if billed else None


@transaction.atomic
def credit_lost(*, dispute: Dispute, at: datetime) -> list[Invoice]:
    """Credit what was lost of a billed order, part by part and each once. The order is held by the caller."""
    billed = _invoice_of(dispute.payment.order_id)
    if billed is None:
        return []
    lost = DisputePart.objects.filter(dispute=dispute, released=None)
    lost = lost.exclude(pk__in=Invoice.objects.filter(lost__isnull=False).values("lost"))
    parts = list(lost.select_related("line__item", "line__product", "line__creator").order_by("pk"))
    ledger.held_all([])  # the chain's head before the series, as sales take them: nothing need have been booked here
    return _issued([_credit(billed, part.line, part, at=at, lost=part) for part in parts])


def _invoice_of(order: int) -> Invoice | None:
    return Invoice.objects.filter(order=order, kind=Kind.INVOICE).select_related("order").first()


def _credit(billed: Invoice, line: OrderLine, back: Refund | DisputePart, *, at: datetime, **of: Any) -> Invoice:
    told = {"title": line.title, "amount": back.amount, "tax": back.tax, "invoice": str(billed)}
    return _paper(Kind.CREDIT_NOTE, billed.order, [told], buyer=billed.buyer, at=at, **of)


def _paper(
    kind: Invoice.Kind,
    order: Order,
    lines: list[dict[str, Any]],
    *,
    buyer: dict[str, Any],
    at: datetime,
    **of: Any,
) -> Invoice:
    series = f"{LETTERS[kind]}-{queries.tenants_time(at).year}"
    sums = {name: sum(line[name] for line in lines) for name in ("amount", "tax")}
    told = {"seller": queries.seller(), "buyer": buyer, "lines": lines, "currency": order.currency, "issued_at": at}
    return Invoice(kind=kind, series=series, order=order, **of, **sums, **told)


def _issued(papers: Sequence[Invoice]) -> list[Invoice]:
    """Number papers of one series, and write them."""
    if not papers:
        return []
    last = _counted(papers[0].series, len(papers))
    for number, paper in enumerate(papers, start=last - len(papers) + 1):
        paper.number = number
    return Invoice.objects.bulk_create(papers)


def _counted(series: str, number: int) -> int:
    """Count on. The row is held until all is written or taken back, so that no number is lost."""
    insert_once(InvoiceSeries, series=series, last=0)
    counter = InvoiceSeries.objects.select_for_update(no_key=True).get(series=series)
    counter.last += number
    counter.save(update_fields=["last"])
    return counter.last
