"""What a trial of loads tells: by hand for some viewers, with bounds, and which load follows."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from billing.ads import operations, queries
from billing.ads.market.load import Answer
from billing.ads.models import Creative, InvalidEvent, LoadChange, LoadTrial, Offer
from billing.ads.queries.load_results import read_arms
from billing.models import Order, OrderLine
from kpplatform.tenancy.models import Member, Tenant
from tests import make
from tests.billing import shop
from tests.billing.ads import adverts
from tests.billing.ads.adverts import DAY
from tests.billing.ads.loads import lived, read, tried
from tests.billing.test_console_of_money import console_of
from tests.conftest import NOON

URL = "/api/v1/ad-load-trials/"
OVER = NOON + 8 * DAY


@pytest.fixture
def trial(in_school: Tenant) -> LoadTrial:
    return tried(0, 6, floor_bps=1_000)


@pytest.fixture
def world(trial: LoadTrial) -> dict[str, Any]:
    adverts.live()
    return {"creative": Creative.objects.get(), "item": shop.course_for(10_000)}


def results(trial: LoadTrial, **said: Any) -> queries.LoadResults:
    LoadTrial.objects.update(read_at=None)
    operations.read_load_trials(at=said.get("at", OVER))
    trial.refresh_from_db()
    return queries.load_results(trial)


def test_each_unit_by_ads_takes_a_fifth_of_the_rest(trial: LoadTrial, world: dict[str, Any]) -> None:
    """With ads a viewer brings 1.00 by them, 1.30 instead of 1.50 by other ways, and is there a day less."""
    lived(trial, 0, viewers=200, days=4, ads=0, other=150, **world)
    lived(trial, 6, viewers=200, days=3, ads=100, other=130, **world)

    told = results(trial)

    without, with_ads = told.arms
    assert told.dealt_fairly
    assert [(of.dealt, of.viewers) for of in told.arms] == [(200, 200), (200, 200)]
    means = [[of.samples[name].mean for name in ("days", "minutes", "ads", "other", "total")] for of in told.arms]
    assert means == [[4.5, 4.5, 0, 150, 150], [3.5, 3.5, 100, 130, 230]]
    assert without.differences == {}
    days, ads = with_ads.differences["days"], with_ads.differences["ads"]
    assert days is not None
    assert ads is not None
    assert days.mean == -1
    assert days.low < -1 < days.high < 0
    assert ads.mean == 100
    assert with_ads.cost is not None
    assert with_ads.cost.mean == pytest.approx(0.2)
    assert with_ads.cost.low < 0 < with_ads.cost.high  # of 200 viewers, it may still be nothing


def test_a_small_arm_says_nothing(trial: LoadTrial, world: dict[str, Any]) -> None:
    lived(trial, 0, viewers=99, days=6, ads=0, other=150, **world)
    lived(trial, 6, viewers=99, days=0, ads=100, other=0, **world)

    told = results(trial)

    assert set(told.arms[1].differences.values()) == {None}
    assert told.arms[1].cost is None
    assert told.suggestion is not None
    assert (told.suggestion.answer, told.suggestion.every) == (Answer.TOO_FEW, None)


def test_only_what_happened_in_a_viewers_first_week_counts_once_that_is_over(
    trial: LoadTrial, world: dict[str, Any]
) -> None:
    lived(trial, 6, viewers=2, days=3, ads=100, other=130, **world)
    assert results(trial, at=NOON + 7 * DAY - timedelta(seconds=1)).arms[1].viewers == 0
    assert results(trial).arms[1].viewers == 2

    Order.objects.update(paid_at=NOON - timedelta(seconds=1))
    Offer.objects.update(offered_at=NOON + 7 * DAY)

    assert [results(trial).arms[1].samples[name].mean for name in ("days", "ads", "other")] == [3.5, 0, 0]


def test_what_was_given_back_or_is_nobodys_is_no_income(trial: LoadTrial, world: dict[str, Any]) -> None:
    lived(trial, 6, viewers=2, days=3, ads=100, other=130, **world)
    OrderLine.objects.update(refunded=60)
    offer = Offer.objects.order_by("pk")[0]
    found = {"flight": offer.flight, "price": offer.price, "note": "A farm.", "by": trial.made_by, "found_at": NOON}
    InvalidEvent.objects.create(offer=offer, **found)

    told = results(trial).arms[1]

    assert [told.samples[name].mean for name in ("ads", "other", "total")] == [50, 100, 150]


def test_the_load_that_brings_most_with_its_bounds_follows_from_many_viewers(trial: LoadTrial) -> None:
    """An ad behind every sixth item costs 7.5 % of the days, which is surely less than the floor of a tenth."""
    read(trial, load_0=(4.0, 0.0, 20.0), load_6=(3.7, 60.0, 19.0))

    found = queries.load_results(trial).suggestion

    assert found is not None
    assert found.answer == Answer.SUGGESTED
    assert found.every is not None
    assert found.kept is not None
    assert found.gain is not None
    assert found.every == 6
    assert found.kept.low >= 0.9
    assert found.gain.low > 0


def test_no_load_follows_where_hardly_anybody_brought_something(trial: LoadTrial) -> None:
    """Of 29 who paid in both arms 14 are to be expected in each: one order more would be another load."""
    read(trial, load_0=(4.0, 0.0, 20.0), load_6=(3.7, 60.0, 19.0))
    trial.figures["arms"]["0"]["payers"], trial.figures["arms"]["6"]["payers"] = 15, 14
    few = queries.load_results(trial)
    trial.figures["arms"]["0"]["payers"], trial.figures["arms"]["6"]["payers"] = 0, 0
    sells_nothing = queries.load_results(trial)

    assert few.arms[1].differences["total"] is None
    assert few.suggestion is not None
    assert (few.suggestion.answer, few.suggestion.every) == (Answer.TOO_FEW, None)
    assert sells_nothing.arms[1].differences["total"] is not None
    assert sells_nothing.suggestion is not None
    assert sells_nothing.suggestion.answer == Answer.SUGGESTED


def test_arms_that_were_not_dealt_by_their_shares_say_nothing(trial: LoadTrial) -> None:
    read(trial, load_0=(4.0, 0.0, 20.0), load_6=(3.7, 60.0, 19.0))
    trial.figures["dealt"]["6"] = 190_000

    told = queries.load_results(trial)

    assert not told.dealt_fairly
    assert (told.arms[1].differences, told.arms[1].cost, told.suggestion) == ({}, None, None)


def test_reading_is_two_questions_however_many_viewers(
    trial: LoadTrial, world: dict[str, Any], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    lived(trial, 6, viewers=30, days=3, ads=100, other=130, **world)

    with django_assert_num_queries(2):
        read_arms(trial, at=OVER)
    with django_assert_num_queries(0):
        queries.load_results(trial)


def test_a_trial_is_made_looked_at_adopted_and_told_over_http(in_school: Tenant) -> None:
    staff = make.client(make.member(Member.Role.STAFF))
    ends_at = (timezone.now() + 28 * DAY).isoformat()
    ask = {
        "name": "Fewer",
        "loads": [6, 12, 0],
        "shares_bps": [3_000, 3_000, 3_000],
        "floor_bps": 500,
        "ends_at": ends_at,
    }

    made = staff.post(URL, ask)
    assert made.status_code == 201
    assert (made.json()["loads"], made.json()["ended_at"]) == ([6, 12, 0], None)
    assert staff.post(URL, ask).json()["code"] == "loads_are_tried"
    assert staff.post(URL, ask | {"loads": [6, 6, 0]}).json()["code"] == "bad_loads"
    at = f"{URL}{made.json()['id']}/"
    told = staff.get(f"{at}results/").json()
    assert [of["load"] for of in told["arms"]] == [6, 12, 0]
    assert [of["measure"] for of in told["arms"][1]["measures"]] == ["days", "minutes", "ads", "other", "total"]
    assert told["suggestion"]["answer"] == "too_few"
    assert staff.post(f"{at}adopt/", {"load": 5, "why": "more"}).json()["code"] == "not_tried"
    assert staff.post(f"{at}adopt/", {"load": 9, "why": "fewer"}).json()["ended_at"] is not None
    (change,) = staff.get("/api/v1/ad-loads/").json()["results"]
    assert (change["before"], change["load"], change["why"]) == (6, 9, "fewer")
    assert [of["id"] for of in staff.get(URL).json()["results"]] == [made.json()["id"]]


def test_who_does_not_run_the_tenant_is_told_nothing_of_it(trial: LoadTrial) -> None:
    viewer = make.client(make.member())

    answers = [viewer.get(of) for of in (URL, f"{URL}{trial.pk}/", f"{URL}{trial.pk}/results/", "/api/v1/ad-loads/")]
    answers += [viewer.post(f"{URL}{trial.pk}/end/", {"why": "x"})]

    assert {of.status_code for of in answers} == {403}


@pytest.mark.parametrize("path", [URL, "/api/v1/ad-loads/"])
def test_a_list_costs_the_same_however_long_it_is(
    trial: LoadTrial, path: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    staff = make.client(trial.made_by)
    operations.end_load_trial(trial=trial, by=trial.made_by, why="enough", at=NOON + DAY)
    for every in (9, 12, 7):
        LoadChange.objects.create(trial=trial, load=every, before=6, by=trial.made_by, changed_at=NOON)
        operations.end_load_trial(trial=tried(6, every + 1), by=trial.made_by, why="enough", at=NOON + DAY)

    with django_assert_max_num_queries(10):
        assert len(staff.get(path).json()["results"]) >= 3


def test_staff_end_and_adopt_in_the_admin(trial: LoadTrial) -> None:
    console = console_of(trial.made_by)
    page = reverse("admin:ads_loadtrial_changelist")

    def done(action: str, words: str) -> str:
        sent = {"action": action, "_selected_action": [trial.pk], "words": words}
        return console.post(page, sent, follow=True).content.decode()

    assert "Write how many items" in done("adopt", "many")
    assert "neither a load" in done("adopt", "3")
    assert "1 row was changed." in done("end", "enough")
    trial.refresh_from_db()
    assert (trial.why, trial.ended_by) == ("enough", trial.made_by)
    assert "1 row was changed." in done("adopt", "12")
    assert LoadChange.objects.get().load == 12
