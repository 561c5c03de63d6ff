"""What is sold at a price that is tried is sold as at any other: coupons, taxes, parts, affiliates, bundles."""

import pytest

from billing import operations
from billing.models import LineShare, OrderLine, PriceExperiment, TriedLine
from billing.operations import Wanted
from billing.queries.price_experiments import dealt
from catalog.models import Item
from kpplatform.tenancy.models import Tenant
from tests.billing import parts, shop
from tests.billing.trials import tried, viewer_of, whole
from tests.catalog import things
from tests.conftest import NOON


@pytest.fixture
def trial(course: Item) -> PriceExperiment:
    """The course of 100 yuan for 100 or for 80."""
    return tried(course, 8_000, 10_000)


def test_a_coupon_is_taken_off_the_price_that_is_tried(course: Item, trial: PriceExperiment) -> None:
    coupon = shop.coupon(course.creator, bps=2_500)

    order = shop.bought_all(viewer_of(trial, "B"), Wanted(item=course), coupon=coupon.code)

    line = OrderLine.objects.get(order=order)
    assert (line.amount, line.discount, line.platform) == (6_000, 2_000, 600)
    assert TriedLine.objects.get(line=line).amount == 8_000
    assert shop.books_are_good()


def test_a_tax_that_is_added_is_added_to_it(course: Item, trial: PriceExperiment, in_school: Tenant) -> None:
    in_school.settings = {"tax_bps": 600, "tax_is_added": True}

    order = shop.bought(viewer_of(trial, "B"), course)

    sold = TriedLine.objects.get(line__order=order)
    assert (order.amount, sold.amount, sold.added_tax) == (8_480, 8_000, 480)
    assert shop.books_are_good()


def test_it_is_paid_in_parts_as_any_price(course: Item, trial: PriceExperiment) -> None:
    plan = parts.in_parts(course, viewer_of(trial, "B"))

    assert (plan.amount, [part.minor for part in plan.parts_of_price]) == (8_000, [2_667, 2_667, 2_666])
    assert TriedLine.objects.get().amount == 8_000
    assert shop.books_are_good()


def test_affiliates_get_their_part_of_it(course: Item, trial: PriceExperiment) -> None:
    viewer, affiliate = viewer_of(trial, "B"), things.creator()
    owner = course.creator
    operations.set_affiliate_terms(creator=owner, by=owner.member, first_bps=1_000, second_bps=0, at=NOON)
    code = operations.become_affiliate(member=affiliate.member, at=NOON).code
    operations.refer(viewer=viewer, code=code, at=NOON)

    shop.bought(viewer, course)

    assert LineShare.objects.get(creator=affiliate).amount == 715, "8,000 - 48 - 800 = 7,152; a tenth of it."
    assert shop.books_are_good()


def test_a_bundle_is_tried_by_the_shares_that_are_said(course: Item) -> None:
    pack = shop.offered(course.creator, course, minor=9_000)
    trial = tried(pack, 9_000, 7_000, 5_000, shares=[8_000, 1_000, 1_000])

    arms = whole(trial)
    counted = [dealt(arms, viewer_id=number).name for number in range(2_000)]
    order = shop.bought_all(viewer_of(trial, "C"), Wanted(product=pack))

    assert [counted.count(name) / 2_000 for name in "ABC"] == pytest.approx([0.8, 0.1, 0.1], abs=0.04)
    assert order.amount == 5_000
    assert shop.books_are_good()
