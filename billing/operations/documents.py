"""Invoices and credit notes: issued with the sale and the refund, numbered without a gap, never changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from billing import queries
from billing.models import Invoice, InvoiceSeries, Order, OrderLine, Refund
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
    billed = Invoice.objects.filter(order=refund.line.order_id, kind=Kind.INVOICE).select_related("order").first()
    if billed is None:
        return None
    line = {"title": refund.line.title, "amount": refund.amount, "tax": refund.tax, "invoice": str(billed)}
    return _issued([_paper(Kind.CREDIT_NOTE, billed.order, [line], buyer=billed.buyer, at=at, refund=refund)])[0]


def _paper(
    kind: Invoice.Kind,
    order: Order,
    lines: list[dict[str, Any]],
    *,
    buyer: dict[str, Any],
    at: datetime,
    refund: Refund | None = None,
) -> Invoice:
    series = f"{LETTERS[kind]}-{queries.tenants_time(at).year}"
    sums = {name: sum(line[name] for line in lines) for name in ("amount", "tax")}
    told = {"seller": queries.seller(), "buyer": buyer, "lines": lines, "currency": order.currency, "issued_at": at}
    return Invoice(kind=kind, series=series, order=order, refund=refund, **sums, **told)


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
