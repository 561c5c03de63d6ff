"""Orders that nobody paid are given up after some days, and the coupons they used are free again."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from billing.models import Coupon, CouponUse, InstalmentPart, Order, Payment, PaymentProof, Period
from kpplatform.tenancy.scope import current_tenant

BATCH = 500
DAYS = 7  # unless the tenant's settings say otherwise (order_days); providers' pages close within a day


@transaction.atomic
def lapse_orders(*, at: datetime, most: int = BATCH) -> int:
    """Give so many orders up that were placed long ago and never paid, and say how many.

    Not those of which a proof is being looked at, nor periods of memberships and parts of a price, which have a clock
    of their own. Who has an order at this moment keeps it until next time.
    """
    days = current_tenant().settings.get("order_days", DAYS)
    rows = _unpaid(until=at - timedelta(days=days)).select_for_update(no_key=True, of=("self",), skip_locked=True)
    orders = list(rows.order_by("placed_at", "pk")[:most])
    for order in orders:
        order.lapsed_at = at
    Order.objects.bulk_update(orders, ["lapsed_at"])
    _free(orders, at=at)
    return len(orders)


def _unpaid(*, until: datetime) -> QuerySet[Order]:
    payments = Payment.objects.filter(order=OuterRef("pk"))
    proofs = PaymentProof.objects.filter(payment__order=OuterRef("pk"), state=PaymentProof.State.WAITING)
    parts = InstalmentPart.objects.filter(order=OuterRef("pk"), number__gt=1)
    periods, charged = Period.objects.filter(order=OuterRef("pk")), payments.filter(state=Payment.State.AGREED)
    rows = Order.objects.filter(state=Order.State.PLACED, lapsed_at=None, placed_at__lte=until)
    return rows.exclude(Exists(proofs) | Exists(periods) | Exists(parts) | Exists(charged))


def _free(orders: Sequence[Order], *, at: datetime) -> None:
    """Let others use the coupons of these orders."""
    uses = CouponUse.objects.filter(order__in=orders, freed_at=None)
    counted = Counter(uses.values_list("coupon", flat=True))
    for coupon in Coupon.objects.select_for_update(no_key=True).filter(pk__in=counted).order_by("pk"):
        coupon.uses -= counted[coupon.pk]
        coupon.save(update_fields=["uses"])
    uses.update(freed_at=at)


def revive(order: Order) -> None:
    """Take a held order up again that is paid after all; its coupon counts once more, if there is a use left."""
    if order.lapsed_at is None:
        return
    order.lapsed_at = None
    order.save(update_fields=["lapsed_at"])
    use = CouponUse.objects.filter(order=order, freed_at__isnull=False).first()
    if use is None:
        return
    coupon = Coupon.objects.select_for_update(no_key=True).get(pk=use.coupon_id)
    if coupon.most_uses is None or coupon.uses < coupon.most_uses:
        Coupon.objects.filter(pk=coupon.pk).update(uses=F("uses") + 1)
        CouponUse.objects.filter(pk=use.pk).update(freed_at=None)
