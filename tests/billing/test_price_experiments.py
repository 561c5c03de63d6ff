"""Prices are tried by chance alone, the same for the same viewer, and nobody pays more than they were shown."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from billing import operations, queries
from billing.models import Order, OrderLine, Price, PriceExperiment, PriceShown, StateChange, TriedLine
from billing.operations import Wanted, pricing
from billing.operations.prices import PriceIsTried
from billing.queries.price_experiments import dealt
from catalog.models import Item
from catalog.operations import NotYours
from catalog.queries import watchable_by
from kpplatform.errors import Refused
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.billing.shop import yuan
from tests.billing.trials import arm, tried, viewer_of, whole
from tests.catalog import things
from tests.conftest import NOON

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
# What decides on a price may read these, and nothing else.
OWN_TABLES = {"billing_priceexperiment", "billing_pricearm", "billing_priceshown", "creators_creator"}


@pytest.fixture
def trial(course: Item) -> PriceExperiment:
    """The course of 100 yuan for 100 or for 80."""
    return tried(course, 8_000, 10_000)


def cost(viewer: Member, item: Item, at: datetime = NOON, **said: Any) -> int:
    [quoted] = operations.quote(viewer=viewer, wanted=[Wanted(item=item)], at=at, **said)
    return quoted.amount.minor


def test_who_sees_which_price_follows_from_their_id_and_its_name_alone(course: Item, trial: PriceExperiment) -> None:
    first, again, other = whole(trial), whole(trial), whole(trial)
    other.name = "summer"

    dealings = [[dealt(of, viewer_id=number).name for number in range(2_000)] for of in (first, again, other)]

    assert dealings[0] == dealings[1]
    assert dealings[0].count("A") == pytest.approx(1_000, abs=110)
    both = sum(of == other for of, other in zip(dealings[0], dealings[2], strict=True))
    assert both == pytest.approx(1_000, abs=110), "Another name deals anew."


def test_nothing_known_of_a_viewer_is_even_read(course: Item, trial: PriceExperiment, viewer: Member) -> None:
    before = cost(viewer, course)
    make_somebody_else_of(viewer, course)

    with CaptureQueriesContext(connection) as asked:
        told = queries.prices_tried(viewer, items=[course.pk], at=NOON)

    assert told["item", course.pk].arm.amount == before == cost(viewer, course)
    read = {table for query in asked for table in re.findall(r'(?:FROM|JOIN) "(\w+)"', query["sql"])}
    assert "billing_pricearm" in read
    assert read <= OWN_TABLES


def make_somebody_else_of(viewer: Member, course: Item) -> None:
    """Change all that is known of the viewer but who they are."""
    viewer.name, viewer.language, viewer.is_minor, viewer.role = "Rich", "en", True, Member.Role.CREATOR
    viewer.joined_at = NOON - timedelta(days=900)
    viewer.save()
    operations.papers.bill_to(member=viewer, place="CN-31", title="Rich & Co", tax_id="", at=NOON)
    shop.bought(viewer, shop.course_for(99_900), key="rich")


def test_the_same_viewer_pays_the_same_price_whenever_they_come(course: Item, trial: PriceExperiment) -> None:
    for name, price in (("A", 10_000), ("B", 8_000)):
        viewer = viewer_of(trial, name)

        assert [cost(viewer, course, NOON + days * DAY) for days in range(7)] == [price] * 7
        order = shop.bought(viewer, course, at=NOON + DAY)

        line = OrderLine.objects.get(order=order)
        sold = TriedLine.objects.get(line=line)
        assert (line.amount, sold.arm.name, sold.amount, sold.added_tax) == (price, name, price, 0)
    assert shop.books_are_good()


def test_a_viewer_is_noted_once_and_the_seller_never(course: Item, trial: PriceExperiment) -> None:
    viewer = viewer_of(trial, "B")

    for days in range(3):
        cost(viewer, course, NOON + days * DAY)
    pricing.show_prices(viewer=course.creator.member, items=[course.pk], at=NOON)

    [shown] = PriceShown.objects.all()
    assert (shown.viewer, shown.arm.name, shown.shown_at) == (viewer, "B", NOON)


def test_what_was_bought_stays_and_as_much_is_given_back_as_was_paid(course: Item, trial: PriceExperiment) -> None:
    viewer = viewer_of(trial, "B")
    order = shop.bought(viewer, course)
    pricing.end_price_experiment(experiment=trial, by=course.creator.member, why="done", at=NOON + HOUR)

    assert watchable_by(viewer, at=NOON + WEEK).filter(pk=course.pk).exists()
    assert shop.give_back(order, at=NOON + HOUR).amount == 8_000
    assert shop.books_are_good()


def test_the_lower_price_holds_for_a_day_after_the_end_for_who_was_shown_it(
    course: Item, trial: PriceExperiment
) -> None:
    shown, late, dear = viewer_of(trial, "B"), viewer_of(trial, "B"), viewer_of(trial, "A")
    assert [cost(of, course) for of in (shown, dear)] == [8_000, 10_000]
    pricing.end_price_experiment(experiment=trial, by=course.creator.member, why="done", at=NOON + HOUR)

    assert [cost(of, course, NOON + 2 * HOUR) for of in (shown, late, dear)] == [8_000, 10_000, 10_000]
    operations.set_price(item=course, by=course.creator.member, amount=yuan(12_000), at=NOON + 3 * HOUR)
    assert [cost(of, course, NOON + 4 * HOUR) for of in (shown, late, dear)] == [8_000, 12_000, 10_000]
    operations.set_price(item=course, by=course.creator.member, amount=yuan(5_000), at=NOON + 5 * HOUR)
    assert [cost(of, course, NOON + 6 * HOUR) for of in (shown, late, dear)] == [5_000] * 3
    order = operations.place_order(viewer=shown, item=course, key="late", at=NOON + 6 * HOUR)
    assert order.amount == 5_000
    assert not TriedLine.objects.filter(line__order=order).exists()
    assert cost(dear, course, NOON + HOUR + DAY) == 5_000


def test_by_the_clock_it_is_over_to_the_moment_and_written_down_by_the_job(
    course: Item, trial: PriceExperiment
) -> None:
    viewer = viewer_of(trial, "B")

    assert cost(viewer, course, NOON + WEEK - HOUR) == 8_000
    assert cost(viewer_of(trial, "B"), course, NOON + WEEK) == 10_000
    assert pricing.end_price_experiments(at=NOON + WEEK - HOUR) == 0
    assert pricing.end_price_experiments(at=NOON + WEEK + HOUR) == 1

    trial.refresh_from_db()
    assert (trial.state, trial.ended_at) == ("ended", NOON + WEEK)
    said = queries.changes_of_price_experiment(trial)
    assert [(of.before, of.after, of.by, of.why) for of in said] == [
        ("running", "ended", None, "time"),
        ("", "running", course.creator.member, ""),
    ]


def test_a_tenant_may_close_it_wholly(course: Item, trial: PriceExperiment, in_school: Tenant) -> None:
    shown = viewer_of(trial, "B")
    cost(shown, course)
    in_school.settings = {"price_experiments": False}

    assert cost(viewer_of(trial, "B"), course) == 10_000
    assert cost(shown, course, NOON + HOUR) == 8_000, "They were promised it."
    assert pricing.end_price_experiments(at=NOON + HOUR) == 1
    assert StateChange.objects.latest("pk").why == "closed"
    assert cost(shown, course, NOON + 2 * HOUR + DAY) == 10_000
    with pytest.raises(pricing.PriceExperimentsClosed):
        tried(course, 10_000, 9_000, name="again", at=NOON + WEEK)


def test_one_experiment_at_a_time_and_the_next_one_a_day_later(course: Item, trial: PriceExperiment) -> None:
    by = course.creator.member
    with pytest.raises(pricing.TriedAlready):
        tried(course, 10_000, 9_000, name="again")
    pricing.end_price_experiment(experiment=trial, by=by, why="done", at=NOON + HOUR)
    with pytest.raises(pricing.TriedAlready):
        tried(course, 10_000, 9_000, name="again", at=NOON + DAY)
    with pytest.raises(pricing.NameTaken):
        tried(course, 10_000, 9_000, at=NOON + 2 * DAY)
    again = tried(course, 10_000, 9_000, name="again", at=NOON + 2 * DAY)

    told = {"item": course, "currency": "CNY", "made_by": by, "began_at": NOON, "ends_at": NOON + DAY}
    with pytest.raises(IntegrityError, match="an_item_has_one_price_experiment"), transaction.atomic():
        PriceExperiment.objects.create(name="third", **told)
    assert again.state == "running"


def test_the_price_is_not_changed_while_others_are_tried(course: Item, trial: PriceExperiment) -> None:
    by, pack = course.creator.member, shop.offered(course.creator, course, minor=9_000)
    tried(pack, 9_000, 7_000, name="pack")

    changes: list[Any] = [{"amount": yuan(8_000)}, {"is_open": True}]

    for change in changes:
        with pytest.raises(PriceIsTried):
            operations.revise_product(product=pack, by=by, at=NOON, **change)
    with pytest.raises(PriceIsTried):
        operations.set_price(item=course, by=by, amount=yuan(9_000), at=NOON)
    operations.revise_product(product=pack, by=by, at=NOON, title="Two")
    operations.set_price(item=course, by=by, amount=yuan(9_000), at=NOON + WEEK)


def test_a_price_is_adopted_by_an_ordinary_change_of_it(course: Item, trial: PriceExperiment) -> None:
    by, pack = course.creator.member, shop.offered(course.creator, course, minor=9_000)
    of_pack = tried(pack, 9_000, 7_000, name="pack")

    for _ in range(2):
        adopted = pricing.adopt_price(arm=arm(trial, "B"), by=by, at=NOON + HOUR)
    pricing.adopt_price(arm=arm(of_pack, "B"), by=by, at=NOON + HOUR)

    assert (adopted.state, adopted.adopted, adopted.ended_at) == ("adopted", "B", NOON + HOUR)
    price = Price.objects.get(item=course, ends_at=None)
    assert (price.amount, price.starts_at) == (8_000, NOON + HOUR)
    change = queries.changes_of(pack)[0]
    assert (change.by, change.before["amount"], change.after["amount"]) == (by, 9_000, 7_000)
    told = queries.changes_of_price_experiment(trial)[0]
    assert (told.by, told.before, told.after, told.why) == (by, "running", "adopted", "80.00 CNY")
    assert cost(viewer_of(trial, "A"), course, NOON + HOUR) == 8_000
    with pytest.raises(pricing.AdoptedAlready):
        pricing.adopt_price(arm=arm(trial, "A"), by=by, at=NOON + HOUR)


def test_only_its_creator_and_staff_try_end_and_adopt(course: Item, trial: PriceExperiment) -> None:
    other = things.creator().member
    acts: list[Any] = [
        lambda: tried(shop.course_for(500), 500, 400, name="theirs", by=other),
        lambda: pricing.end_price_experiment(experiment=trial, by=other, why="", at=NOON),
        lambda: pricing.adopt_price(arm=arm(trial, "B"), by=other, at=NOON),
    ]

    for act in acts:
        with pytest.raises(NotYours):
            act()
    staff = make.member(Member.Role.STAFF)
    assert pricing.end_price_experiment(experiment=trial, by=staff, why="enough", at=NOON).state == "ended"


@pytest.mark.parametrize(
    ("minor", "said", "code"),
    [
        ([10_000], {}, "bad_prices"),
        ([10_000, 9_000, 8_000, 7_000, 6_000], {}, "bad_prices"),
        ([10_000, 10_000], {}, "bad_prices"),
        ([9_000, 8_000], {}, "bad_prices"),
        ([12_000, 10_000], {}, "bad_prices"),
        ([10_000, 0], {}, "no_such_price"),
        ([10_000, 9_000], {"shares": [5_000, 4_999]}, "bad_prices"),
        ([10_000, 9_000], {"shares": [10_000]}, "bad_prices"),
        ([10_000, 9_000], {"shares": [10_001, -1]}, "bad_prices"),
        ([10_000, 9_000], {"days": 91}, "bad_span"),
        ([10_000, 9_000], {"days": 0}, "bad_span"),
    ],
)
def test_what_cannot_be_tried_is_refused_with_a_code(
    course: Item, minor: list[int], said: dict[str, Any], code: str
) -> None:
    with pytest.raises(Refused) as no:
        tried(course, *minor, **said)

    assert no.value.code == code


def test_only_what_is_sold_once_at_a_price_of_its_own_is_tried(course: Item) -> None:
    owner = course.creator
    free = things.course(owner, is_free=True)
    open_one = shop.offered(owner, course, minor=900, is_open=True)
    pack = shop.offered(owner, course, minor=900)
    operations.withdraw_product(product=pack, by=owner.member, at=NOON)
    answer = shop.consultation(owner).product

    for number, thing in enumerate((free, open_one, pack, answer)):
        with pytest.raises(pricing.CannotBeTried):
            tried(thing, 900, 800, name=f"no-{number}")


def test_another_tenants_experiment_changes_nothing_here(course: Item, trial: PriceExperiment, agency: Tenant) -> None:
    with scope(agency):
        theirs = shop.course_for(10_000)
        assert cost(make.member(), theirs) == 10_000
        assert not queries.price_experiments_seen_by(make.member(Member.Role.ADMIN)).exists()
        assert Order.objects.count() == 0
