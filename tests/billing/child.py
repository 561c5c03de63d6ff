"""A process that does one thing with money and may be told to die on the way: CRASH_AT=point."""

import os
import sys

import django
from django.utils import timezone


def main(tenant: str, doing: str, pk: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "kpplatform.settings"
    django.setup()

    from billing import operations, tasks  # noqa: PLC0415  the settings come first
    from billing.models import Charge, Consultation, Order, Payout, Refund, WebhookEvent  # noqa: PLC0415
    from kpplatform.tenancy.models import Tenant  # noqa: PLC0415
    from kpplatform.tenancy.scope import scope  # noqa: PLC0415

    long_ones = {
        "pay_out": (tasks.send_payout, "payout_id"),
        "answer": (tasks.send_dispute_answer, "answer_id"),
        "split": (tasks.send_split, "order_id"),
        "give_back": (tasks.send_split_return, "return_id"),
    }
    if doing in long_ones or doing == "mature":
        task, name = long_ones.get(doing, (tasks.mature, ""))
        task(tenant=Tenant.objects.get(slug=tenant), **({name: int(pk)} if name else {}))
        return
    with scope(Tenant.objects.get(slug=tenant)):
        if doing == "pay":
            operations.pay(order=Order.objects.get(pk=pk), at=timezone.now())
        elif doing == "apply":
            operations.apply_event(event=WebhookEvent.objects.get(pk=pk), at=timezone.now())
        elif doing == "expire":
            asked = Consultation.objects.select_related("line__order").get(pk=pk)
            operations.expire_consultation(consultation=asked, at=timezone.now())
        elif doing == "collect":
            operations.collect(charge=Charge.objects.get(pk=pk), at=timezone.now())
        elif doing == "hear":
            operations.disputing.hear_of_dispute(provider="sandbox", reference=pk, at=timezone.now())
        elif doing == "resolve":
            operations.paying.resolve_payout(payout=Payout.objects.get(pk=pk), at=timezone.now())
        else:
            operations.send_refund(refund=Refund.objects.get(pk=pk), at=timezone.now())


if __name__ == "__main__":
    main(*sys.argv[1:])
