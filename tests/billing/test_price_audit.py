"""What somebody might try with prices that are tried: choose who gets which, change them meanwhile, count too much."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing import operations, queries
from billing.models import PriceExperiment, PriceShown, Product
from billing.money import Money
from billing.operations import Wanted, pricing
from billing.operations.prices import PriceIsTried
from billing.queries.price_experiments import dealt
from catalog.models import Item
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing import shop
from tests.billing.shop import yuan
from tests.billing.trials import arm, tried, viewer_of, whole
from tests.conftest import NOON

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
API = "/api/v1/"


@pytest.fixture
def trial(course: Item) -> PriceExperiment:
    """The course of 100 yuan for 100 or for 80."""
    return tried(course, 8_000, 10_000)


def cost(viewer: Member, item: Item, *, hours: int = 0) -> int:
    [quoted] = operations.quote(viewer=viewer, wanted=[Wanted(item=item)], at=NOON + hours * HOUR)
    return quoted.amount.minor


def test_who_tries_prices_cannot_choose_a_name_that_gives_somebody_the_high_one(trial: PriceExperiment) -> None:
    again = whole(trial)
    again.began_at += timedelta(microseconds=1)

    dealings = [[dealt(of, viewer_id=number).name for number in range(2_000)] for of in (whole(trial), again)]

    both = sum(of == other for of, other in zip(*dealings, strict=True))
    assert both == pytest.approx(1_000, abs=110), "The same name, begun at another moment, deals anew."


def test_what_was_shown_is_what_is_charged_however_viewers_are_dealt(course: Item, trial: PriceExperiment) -> None:
    viewer = viewer_of(trial, "A")
    PriceShown.objects.create(experiment=trial, arm=arm(trial, "B"), viewer=viewer, shown_at=NOON)

    assert cost(viewer, course) == 8_000


def test_locks_are_taken_in_one_order_the_thing_first(course: Item, trial: PriceExperiment) -> None:
    """An experiment whose time is over is adopted while the next one is begun."""
    later, seller = NOON + 9 * DAY, course.creator.member

    with CaptureQueriesContext(connection) as adopting:
        pricing.adopt_price(arm=arm(trial, "A"), by=seller, at=later)
    with CaptureQueriesContext(connection) as beginning:
        tried(course, 10_000, 9_000, name="next", at=later)

    assert locked(adopting)[:2] == locked(beginning)[:2] == ["catalog_item", "billing_priceexperiment"]


def locked(asked: CaptureQueriesContext) -> list[str]:
    """Return from which tables rows were locked, in order."""
    held = [query["sql"] for query in asked if "FOR NO KEY UPDATE" in query["sql"]]
    return [re.findall(r'FROM "(\w+)"', sql)[0] for sql in held]


def test_a_price_that_changes_while_an_experiment_waits_for_its_turn_is_not_tried(course: Item) -> None:
    seller = course.creator.member
    operations.set_price(item=course, by=seller, amount=yuan(12_000), at=NOON + HOUR)

    with pytest.raises(pricing.CannotBeTried):
        tried(course, 10_000, 8_000, at=NOON)


def test_staff_look_at_prices_without_being_counted(course: Item, trial: PriceExperiment) -> None:
    admin = make.member(Member.Role.ADMIN)
    told: dict[str, Any] = {"creator": None, "contents": [operations.Filling(course)], "title": "All"}
    pack = operations.make_product(kind=Product.Kind.BUNDLE, amount=yuan(9_000), by=admin, at=NOON, **told)
    tried(pack, 9_000, 7_000, name="pack", by=admin)

    for role in (Member.Role.STAFF, Member.Role.ADMIN):
        pricing.show_prices(viewer=make.member(role), items=[course.pk], products=[pack.pk], at=NOON)

    assert not PriceShown.objects.exists()


def test_only_who_is_shown_a_price_in_its_currency_is_counted(course: Item, viewer: Member) -> None:
    now = timezone.now()
    tried(course, 10_000, 8_000, at=now)
    operations.set_price(item=course, by=course.creator.member, amount=Money(1_500, "USD"), at=now)
    client = make.client(viewer)

    page = client.get(f"{API}prices/?item={course.pk}&limit=1").json()
    assert [of["currency"] for of in page["results"]] == ["USD"]
    assert not PriceShown.objects.exists()
    assert client.get(page["next"]).json()["results"][0]["is_tried"]
    assert PriceShown.objects.count() == 1


def test_what_is_said_again_and_is_no_change_is_taken_while_prices_are_tried(course: Item) -> None:
    pack, seller = shop.offered(course.creator, course, minor=9_000), course.creator.member
    tried(pack, 9_000, 7_000, name="pack")

    revised = operations.revise_product(
        product=pack, by=seller, at=NOON, title="Two", amount=yuan(9_000), is_open=False
    )
    assert (revised.title, revised.amount) == ("Two", 9_000)
    with pytest.raises(PriceIsTried):
        operations.revise_product(product=pack, by=seller, at=NOON, title="Three", amount=yuan(7_000))


def test_sales_after_the_end_are_not_compared(course: Item, trial: PriceExperiment) -> None:
    """B keeps 80 for a day, and is noted so; A pays 80 as everybody: what they buy then says nothing."""
    dear, cheap = viewer_of(trial, "A"), viewer_of(trial, "B")
    assert [cost(of, course) for of in (dear, cheap)] == [10_000, 8_000]
    pricing.adopt_price(arm=arm(trial, "B"), by=course.creator.member, at=NOON + HOUR)

    for viewer in (dear, cheap):
        order = operations.place_order(viewer=viewer, item=course, key="late", at=NOON + 2 * HOUR)
        operations.capture(payment=shop.payment_of(order), reference=f"{viewer.pk}", at=NOON + 2 * HOUR)
        assert order.amount == 8_000

    assert [of.buyers for of in queries.price_results(trial).arms] == [0, 0]
