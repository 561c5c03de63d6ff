"""The jobs of this floor."""

from collections.abc import Callable

from django.utils import timezone

from billing import operations
from billing.models import (
    Consultation,
    DisputeAnswer,
    Payment,
    PaymentMethod,
    Payout,
    Refund,
    Split,
    SplitOrder,
    SplitReceiver,
    SplitReturn,
    WebhookEvent,
)
from billing.operations import charges, due_parts, pricing, reconciliation, splitting
from kpplatform.errors import Refused
from kpplatform.jobs.running import job, long_job
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope


@job
def apply_event(*, event_id: int) -> None:
    operations.apply_event(event=WebhookEvent.objects.get(pk=event_id), at=timezone.now())


@job
def resolve_payment(*, payment_id: int) -> None:
    payment = Payment.objects.select_related("order__viewer").get(pk=payment_id)
    operations.resolve_payment(payment=payment, at=timezone.now())


@job
def ask_again(*, payment_id: int, charge_key: str) -> None:
    payment = Payment.objects.select_related("order").get(pk=payment_id)
    charges.ask_again(payment=payment, key=charge_key, at=timezone.now())


@job
def send_refund(*, refund_id: int) -> None:
    refund = Refund.objects.select_related("line__order__viewer").get(pk=refund_id)
    operations.send_refund(refund=refund, at=timezone.now())


@job
def expire_consultation(*, consultation_id: int) -> None:
    consultation = Consultation.objects.select_related("line__order").get(pk=consultation_id)
    operations.expire_consultation(consultation=consultation, at=timezone.now())


@long_job
def send_payout(*, tenant: Tenant, payout_id: int) -> None:
    """That the provider is about to be told is committed before it is told."""
    with scope(tenant):
        payout = Payout.objects.get(pk=payout_id)
        may_be_told = operations.paying.begin_payout(payout=payout, at=timezone.now())
    if may_be_told:
        with scope(tenant):
            operations.paying.send_payout(payout=payout, at=timezone.now())


@job
def resolve_payout(*, payout_id: int) -> None:
    operations.paying.resolve_payout(payout=Payout.objects.get(pk=payout_id), at=timezone.now())


@job
def hear_of_dispute(*, provider: str, reference: str) -> None:
    operations.disputing.hear_of_dispute(provider=provider, reference=reference, at=timezone.now())


@long_job
def send_dispute_answer(*, tenant: Tenant, answer_id: int) -> None:
    """That the provider is about to be told is committed before it is told."""
    with scope(tenant):
        answer = DisputeAnswer.objects.select_related("dispute__payment__order__viewer").get(pk=answer_id)
        may_be_told = operations.disputing.begin_dispute_answer(answer=answer, at=timezone.now())
    if may_be_told:
        with scope(tenant):
            operations.disputing.send_dispute_answer(answer=answer, at=timezone.now())


@job
def resolve_dispute_answer(*, answer_id: int) -> None:
    answer = DisputeAnswer.objects.select_related("dispute__payment__order__viewer").get(pk=answer_id)
    operations.disputing.resolve_dispute_answer(answer=answer, at=timezone.now())


@job
def register_receiver(*, receiver_id: int) -> None:
    splitting.register_receiver(receiver=SplitReceiver.objects.get(pk=receiver_id), at=timezone.now())


@long_job
def send_split(*, tenant: Tenant, order_id: int) -> None:
    """That the provider is about to be told is committed before it is told."""
    with scope(tenant):
        order = SplitOrder.objects.select_related("payment__order").get(pk=order_id)
        may_be_told = splitting.begin_split(order=order, at=timezone.now())
    if may_be_told:
        with scope(tenant):
            splitting.send_split(order=order, at=timezone.now())


@job
def resolve_split(*, order_id: int) -> None:
    order = SplitOrder.objects.select_related("payment__order").get(pk=order_id)
    splitting.resolve_split(order=order, at=timezone.now())


@job
def ask_back(*, split_id: int) -> None:
    split = Split.objects.select_related("order__payment__order").get(pk=split_id)
    splitting.ask_back(split=split, at=timezone.now())


@long_job
def send_split_return(*, tenant: Tenant, return_id: int) -> None:
    """That the provider is about to be told is committed before it is told."""
    with scope(tenant):
        back = SplitReturn.objects.select_related("split__order__payment__order").get(pk=return_id)
        may_be_told = splitting.begin_split_return(back=back, at=timezone.now())
    if may_be_told:
        with scope(tenant):
            splitting.send_split_return(back=back, at=timezone.now())


@job
def resolve_split_return(*, return_id: int) -> None:
    back = SplitReturn.objects.select_related("split__order__payment__order").get(pk=return_id)
    splitting.resolve_split_return(back=back, at=timezone.now())


@long_job
def mature(*, tenant: Tenant) -> None:
    """Batch by batch, each in a transaction of its own: done twice, the second time finds nothing to do."""
    for do in (operations.mature, operations.mature_gifts, operations.release_reserves, splitting.plan_splits):
        while _done(tenant, do):
            pass


@long_job
def settle(*, tenant: Tenant) -> None:
    """Month by month, pool and statements each in a transaction of its own, until none that is over is left."""
    is_settled = True
    while is_settled:
        with scope(tenant):
            operations.paying.share_next(at=timezone.now())
        with scope(tenant):
            is_settled = operations.paying.settle_all(at=timezone.now()) is not None


@long_job
def lapse_orders(*, tenant: Tenant) -> None:
    """With unpaid orders, prices that were tried for their time are over."""
    for do in (operations.paying.lapse_orders, pricing.end_price_experiments):
        while _done(tenant, do):
            pass


def _done(tenant: Tenant, do: Callable[..., int]) -> int:
    with scope(tenant):
        return do(at=timezone.now())


@long_job
def verify_ledger(*, tenant: Tenant) -> None:
    with scope(tenant):
        operations.verify_ledger()


@long_job
def reconcile(*, tenant: Tenant) -> None:
    """Day by day, each in a transaction of its own: a report that cannot be had or read keeps no other waiting.

    None is open while the provider is asked, however long its report is.
    """
    now, failed = timezone.now(), None
    with scope(tenant):
        days = list(reconciliation.days_to_reconcile(at=now))
    for provider, since, until in days:
        try:
            with scope(tenant):
                report = reconciliation.report_of_day(provider=provider, since=since, until=until)
            with reconciliation.kept(report.rows) as rows, scope(tenant):
                reconciliation.compare_kept(report=report, rows=rows, at=now)
        except Refused as error:
            failed = failed or error
    if failed:
        raise failed


@job
def forget_method(*, method_id: int) -> None:
    operations.paying.forget_method(method=PaymentMethod.objects.get(pk=method_id), at=timezone.now())


@job
def resolve_method(*, method_id: int) -> None:
    operations.resolve_method(method=PaymentMethod.objects.get(pk=method_id), at=timezone.now())


@long_job
def renew_subscriptions(*, tenant: Tenant) -> None:
    """Instalments fall due and are collected with the renewals."""
    for step in (operations.renew_some, due_parts.charge_parts, operations.collect_next):
        is_more = True
        while is_more:
            with scope(tenant):
                is_more = bool(step(at=timezone.now()))
