"""What we know of a disputed sale ourselves: what was bought, what that opened, and what became of it."""

from collections.abc import Iterable, Iterator

from django.db.models import Q

from billing.models import (
    ConsultationEntry,
    Dispute,
    EbookCopy,
    GiftMembership,
    Order,
    Refund,
)
from billing.money import Money
from catalog.models import Access, Pass, Watch

MOST_WATCHES = 100
LONGEST = 10_000  # of a piece of evidence


def receipt_of(dispute: Dispute) -> str:
    """Return what was bought, when, for how much, and how it was paid."""
    return _cut(_receipt(dispute))


def access_log_of(dispute: Dispute) -> str:
    """Return what was delivered because of the order, since when, and when it was watched."""
    return _cut(_deliveries(dispute.payment.order)) or "Nothing was opened because of this order."


def _cut(told: Iterable[str]) -> str:
    """Return as many of the lines as a piece of evidence holds."""
    kept, left = [], LONGEST
    for line in told:
        left -= len(line) + 1
        if left < 0:
            break
        kept.append(line)
    return "\n".join(kept)


def _receipt(dispute: Dispute) -> Iterator[str]:
    payment, order = dispute.payment, dispute.payment.order
    yield f"Order {order.pk}, placed {order.placed_at:%Y-%m-%d %H:%M} UTC by member {order.viewer_id}"
    if payment.captured_at:
        paid = f"{payment.captured_at:%Y-%m-%d %H:%M} UTC by {payment.provider}, reference {payment.reference}"
        yield f"Paid {payment.money}, {paid}"
    for line in order.lines.select_related("item", "product", "creator").order_by("pk"):
        yield f"{line.title}: {Money(line.amount, order.currency)}"
        if line.refunded:
            yield f"  of which given back: {Money(line.refunded, order.currency)}"


def _deliveries(order: Order) -> Iterator[str]:
    """Tell each kind of thing by its own rows: what a membership opens, for one, is no access to an item."""
    viewers = {order.viewer_id, *GiftMembership.objects.filter(order=order).order_by("pk").values_list("to", flat=True)}
    theirs = {"viewer__in": viewers, "source__in": _sources(order)}
    opened = list(Access.objects.filter(**theirs).select_related("item").order_by("pk"))
    passes = list(Pass.objects.filter(**theirs).select_related("creator").order_by("pk"))
    for access in opened:
        yield f"{access.starts_at:%Y-%m-%d %H:%M} UTC: access to “{access.item.title}”"
    for each in passes:
        whose = f"all courses of {each.creator}" if each.creator else "all courses"
        yield f"{each.starts_at:%Y-%m-%d %H:%M} UTC: {whose} until {each.ends_at:%Y-%m-%d %H:%M} UTC"
    for copy in EbookCopy.objects.filter(**theirs).select_related("product").order_by("pk"):
        last = f", last at {copy.last_at:%Y-%m-%d %H:%M} UTC" if copy.last_at else ""
        yield f"{copy.granted_at:%Y-%m-%d %H:%M} UTC: downloaded “{copy.product}” {copy.downloads} times{last}"
    for entry in ConsultationEntry.objects.filter(consultation__line__order=order, kind="answer").order_by("pk"):
        yield f"{entry.written_at:%Y-%m-%d %H:%M} UTC: answered, {len(entry.body)} characters"
    about = Q(item__in=[access.item_id for access in opened])
    for each in passes:
        about |= Q(item__creator=each.creator_id) if each.creator_id else Q()
    watched = Watch.objects.filter(about, viewer__in=viewers, quarantine=Watch.Quarantine.CLEAN)
    since = watched.filter(started_at__gte=order.placed_at).select_related("item").order_by("started_at", "pk")
    for watch in since[:MOST_WATCHES]:
        yield f"{watch.started_at:%Y-%m-%d %H:%M} UTC: watched {watch.watch_ms // 1000} s of “{watch.item.title}”"


def _sources(order: Order) -> set[str]:
    """Return what delivered something: each line, also after a refund of it that failed, and the plan of a part."""
    lines = {line.pk: line.source for line in order.lines.order_by("pk")}
    failed = Refund.objects.filter(line__in=lines, state=Refund.State.FAILED).order_by("pk")
    plans = {part.plan.source for part in order.instalment_parts.select_related("plan").order_by("pk")}
    return {*lines.values(), *plans, *(f"{lines[line]}:{pk}" for pk, line in failed.values_list("pk", "line_id"))}
