"""Taking back what a coupon had paid for wholly: there is no money to be given back with it."""

from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from billing.models import Order, OrderLine, Revocation
from billing.operations.goods import goods_of
from billing.operations.orders import held
from billing.operations.refunds import NotPaid
from billing.operations.staff import must_run_the_tenant
from kpplatform.errors import Conflict, Invalid
from kpplatform.tenancy.models import Member


class NotFree(Conflict):
    code = "not_free"


class ReasonNeeded(Invalid):
    code = "reason_needed"


@transaction.atomic
def revoke_free(*, line: OrderLine, by: Member, why: str, at: datetime) -> Revocation:
    """End what a line has delivered that cost nothing; the tenant's staff, who say why. Twice is once.

    Raises StaffOnly, ReasonNeeded, NotPaid, and NotFree for what money was paid for: that is given back.
    """
    must_run_the_tenant(by)
    if not why.strip():
        raise ReasonNeeded("Say why it is taken back.")
    order = held(line.order)
    if order.paid_at is None:
        raise NotPaid("This order has not been paid.")
    line = OrderLine.objects.select_related("order__viewer", "item", "product", "creator").get(pk=line.pk)
    if line.amount:
        raise NotFree("This was paid for: its price is given back.")
    if revoked := Revocation.objects.filter(line=line).first():
        return revoked
    goods_of(line.kind).take_back(line, line.source, at)
    made = Revocation.objects.create(line=line, by=by, why=why.strip()[:200], revoked_at=at)
    if not order.lines.filter(Q(refunded__lt=F("amount")) | Q(amount=0, revocations=None)).exists():
        order.state = Order.State.REFUNDED
        order.save(update_fields=["state"])
    return made
