"""What the demo's provider would have reported of payments that it never saw: they agree with it, day by day."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from billing import operations as billing
from billing.models import OrderLine, Payment, Refund
from billing.operations import Report
from billing.providers import Reported

DAY = timedelta(days=1)


def report_days(*, since: datetime, until: datetime) -> None:
    """Compare each day of the scope's tenant between two midnights with the report of it that would have been made."""
    used = Payment.objects.filter(captured_at__gte=since, captured_at__lt=until)
    for provider in sorted(set(used.values_list("provider", flat=True))):
        for day in range((until - since).days):
            begins = since + day * DAY
            rows = sorted(_rows(provider, begins, begins + DAY), key=lambda row: row.at)
            report = Report(provider=provider, since=begins, until=begins + DAY, rows=rows)
            billing.reconcile(report=report, at=begins + DAY)


def _rows(provider: str, since: datetime, until: datetime) -> Iterator[Reported]:
    payments = Payment.objects.filter(provider=provider, captured_at__gte=since, captured_at__lt=until)
    for payment in payments.order_by("pk"):
        lines = OrderLine.objects.filter(order=payment.order_id)
        fee = sum(line.processor + line.cost for line in lines)
        yield Reported("payment", payment.reference, payment.key, payment.money, fee, payment.captured_at or since)
    refunds = Refund.objects.filter(
        line__order__payments__provider=provider, state=Refund.State.SENT, done_at__gte=since, done_at__lt=until
    )
    for refund in refunds.order_by("pk"):
        yield Reported("refund", refund.reference, refund.key, refund.money, None, refund.done_at or since)
