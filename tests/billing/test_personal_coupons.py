"""A personal coupon is taken of those to whom it was given, and of nobody else."""

import pytest

from billing import operations
from billing.models import CouponHolder, CouponUse
from billing.operations import Wanted
from billing.operations.coupons import CouponNotValid, give_coupon
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing import shop
from tests.conftest import NOON


def test_who_was_given_it_pays_less_and_who_knows_the_code_does_not(viewer: Member) -> None:
    course = shop.course_for(10_000)
    coupon = shop.coupon(course.creator, bps=2_500, is_personal=True)
    for _ in range(2):
        give_coupon(coupon=coupon, viewers=[viewer.pk], at=NOON)

    bought = shop.bought_all(viewer, Wanted(item=course), coupon=coupon.code)

    assert bought.amount == 7_500
    assert CouponHolder.objects.count() == 1
    with pytest.raises(CouponNotValid):
        operations.order_all(viewer=make.member(), wanted=[Wanted(item=course)], coupon=coupon.code, key="key", at=NOON)
    assert CouponUse.objects.count() == 1
    assert shop.books_are_good()
