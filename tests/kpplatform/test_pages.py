"""What the operator's pages of figures say: by numbers that one can check in the head."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from billing.ads.models import Flight
from billing.queries import trial_balance
from kpplatform.console.pages import BY_SLUG
from kpplatform.console.pages.shapes import Chart, Look, Shown
from kpplatform.jobs.models import Job
from kpplatform.metrics import queries
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope
from recommender.models import Experiment, ModelVersion, PortraitRun
from tests import make
from tests.billing import shop
from tests.billing.ads import adverts
from tests.catalog import things
from tests.conftest import COMMITTED, NOON
from tests.metrics.figured import card, figure, figures, look, part, rows
from tests.metrics.happened import DAY

YESTERDAY = DAY - timedelta(days=1)


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with override("en"):
        yield


def opened(slug: str, of: Look) -> Shown:
    return BY_SLUG[slug].build(of)


def drawn(chart: Chart) -> dict[str, list[Any]]:
    return {str(line.name): list(line.values) for line in chart.lines}


def test_money_tells_what_was_sold_and_whose_it_is(in_school: Tenant) -> None:
    figures("sales", item_CNY=90_000, tip_CNY=10_000, item_USD=500)
    figures("sales", day=DAY - timedelta(days=7), item_CNY=50_000)
    figures("platform_fees", CNY=20_000)
    figures("creator_income", sale_item_CNY=72_000, refund_item_CNY=-2_000, tip_CNY=8_000)
    figures("refunds", item_CNY=2_500)
    figure("buyers", 14)

    page = opened("money", look(in_school))

    assert (card(page, "Sales (GMV)").shown, card(page, "Sales (GMV)").change) == ("1,000.00 CNY", 1.0)
    assert card(page, "Take rate").shown == "20.0%"
    assert card(page, "Buyers a day").shown == "2.0"
    by_kind = drawn(part(page, "Sales by kind"))
    assert {name: values[-2:] for name, values in by_kind.items()} == {
        "videos and courses": [0.0, 900.0],
        "tips": [0.0, 100.0],
    }
    assert {name: values[-2:] for name, values in drawn(part(page, "Which share")).items()} == {
        "videos and courses": [None, 90.0],
        "tips": [None, 10.0],
    }
    assert drawn(part(page, "Creators' income by kind")) == {"income": [700.0, 80.0]}
    assert rows(page, "In each currency") == [
        ["CNY", "1,000.00 CNY", "25.00 CNY", "200.00 CNY", "780.00 CNY", "20.0%"],
        ["USD", "5.00 USD", "0.00 USD", "0.00 USD", "0.00 USD", "0.0%"],
    ]


def test_money_ranks_creators_and_shows_what_waits(in_school: Tenant) -> None:
    ann, bo = (things.creator(make.member(), name=name) for name in ("Ann", "Bo"))
    figures("creator_income", tip_CNY=100)
    for creator, minor in ((ann, 25), (bo, 75)):
        figure("creator_income", minor, "tip:CNY", creator=creator)
    figure("creator_income", 9_999, "tip:USD", creator=ann)
    course = shop.course_for(10_000)
    shop.bought(make.member(), course)

    page = opened("money", look(in_school))

    assert rows(page, "Creators with most income") == [["Bo", "0.75 CNY", "75.0%"], ["Ann", "0.25 CNY", "25.0%"]]
    pending = {where: amount for where, _many, amount in rows(page, "What waits")}
    [held] = [of.balance for of in trial_balance() if of.kind == "pending"]
    assert pending["Creators', still refundable"] == str(shop.yuan(held))
    assert rows(page, "Payouts under way") == []


def test_the_funnel_tells_each_step_by_the_one_before(in_school: Tenant) -> None:
    figures("impressions", model=1_000)
    figures("impressions_known", model=800)
    figures("plays", feed=400, search=100)
    figures("profile_visits", feed=50)
    figures("product_visits", feed=30, search=10)
    figures("checkouts", feed=9, search=1)
    figures("purchases", feed=5)

    page = opened("funnel", look(in_school))

    assert drawn(part(page, "From the feed to the money")) == {"how often": [1_000, 500, 50, 40, 10, 5]}
    assert rows(page, "Step by step") == [
        ["shown in the feed", "1,000", "–"],
        ["played", "500", "50.00%"],
        ["profile looked at", "50", "10.00%"],
        ["price looked at", "40", "80.00%"],
        ["ordered", "10", "25.00%"],
        ["paid", "5", "50.00%"],
    ]
    assert rows(page, "Where they came from") == [
        ["the feed", "400", "50", "30", "9", "5", "30.00%", "55.56%"],
        ["search", "100", "0", "10", "1", "0", "10.00%", "0.00%"],
    ]
    assert [card(page, title).shown for title in ("Shown → played", "Ordered → paid")] == ["50.0%", "50.0%"]


def test_the_feed_tells_how_evenly_it_shows(in_school: Tenant) -> None:
    ann = things.creator(make.member(), name="Ann")
    first, second = (things.video(ann, title=title) for title in ("First", "Second"))
    for item, places in ((first, 25), (second, 75)):
        figure("impressions", places, "model", creator=ann, item=item)
    figures("impressions", model=80, explored=20)
    for name, value in (("explored", 20), ("new_creators", 10), ("small_creators", 30), ("items_shown", 1),
                        ("items_on_show", 2)):  # fmt: skip
        figure(name, value)
    figure("exposure_gini", 500_000)
    figure("exposure_gini", 700_000, day=YESTERDAY)

    page = opened("feed", look(in_school))

    shown = {of.title: of.shown for of in page.cards}
    assert shown["Gini of the places"] == "0.60"
    assert [shown[of] for of in ("Items shown a day", "Explored", "New creators", "Small creators")] == [
        "50.0%", "20.0%", "10.0%", "30.0%",
    ]  # fmt: skip
    assert [row[:2] + row[3:] for row in rows(page, "Most shown")] == [
        ["Second", "Ann", "75", "75.0%"],
        ["First", "Ann", "25", "25.0%"],
    ]
    assert drawn(part(page, "Places of the feed"))["exploration"][-1] == 20


def test_models_are_told_beside_popularity_and_arms_with_their_bounds(in_school: Tenant) -> None:
    measured = {"models": {"als": {"ndcg@10": 0.05}, "popularity": {"ndcg@10": 0.04}}}
    ModelVersion.objects.create(kind="als", state="rejected", reason="worse", metrics=measured, events=9, data="",
                                trained_at=NOON)  # fmt: skip
    by = {"mean": 1.0, "low": 0.5, "high": 1.5, "p": 0.01}
    arms: list[dict[str, Any]] = [{"name": name, "share": 0.5, "settings": {}} for name in ("as is", "bold")]
    read = {
        "viewers": {"as is": 200, "bold": 210},
        "dealt_fairly": True,
        "means": {"as is": {"likes": 10.0}, "bold": {"likes": 11.0}},
        "differences": {"bold": {"likes": by}},
    }
    told = {"metric": "likes", "state": "running", "created_at": NOON, "started_at": NOON}
    Experiment.objects.create(name="bolder", arms=arms, figures=read, **told)
    Experiment.objects.create(name="unread", arms=arms, **told)

    page = opened("trials", look(in_school))

    assert drawn(part(page, "Quality")) == {"the training's model": [0.05], "popularity": [0.04]}
    assert drawn(part(page, "Between which bounds")) == {"effect": [[5.0, 15.0]]}
    told_rows = [row[1:] for row in rows(page, "Experiments that run")]
    assert ["bold", "210", "11", "+1 [+0.5, +1.5]", "better"] in told_rows
    assert ["–", "–", "–", "–", "not read yet"] in told_rows


def test_ads_tell_what_they_earned_and_how_they_keep_to_plan(in_school: Tenant) -> None:
    flight = adverts.live(budget=24_000)
    figures("ads_offered", auction=80, house=20)
    figures("ads_seen", auction=40)
    figures("ads_clicked", auction=2)
    figures("impressions", model=1_000)
    figures("ad_places", feed_filled=30, feed_capped=10, feed_tier=60)
    figures("ad_spend", auction_CNY=1_500_000_000, auction_USD=7_000_000_000)

    page = opened("ads", look(in_school, at=NOON + timedelta(minutes=1)))

    shown = {of.title: of.shown for of in page.cards}
    assert shown["Spent on ads"] == shown["Spent today"] == "15.00 CNY"
    assert shown["Left of live budgets"] == "240.00 CNY"
    assert (shown["Ads by places of the feed"], shown["Seen of offered"], shown["Clicked of seen"]) == (
        "10.0%", "40.0%", "5.0%",
    )  # fmt: skip
    assert shown["Held, to be decided"] == "0"
    assert drawn(part(page, "Spent by tier"))["auction"][-1] == 15.0
    assert rows(page, "By tier") == [
        ["auction", "80", "50.0%", "5.00%", "0"],
        ["the house's own", "20", "0.0%", "–", "0"],
    ]
    assert shown["Places that found an ad"] == "75.0%"
    assert rows(page, "Places for ads") == [
        ["an ad stands there", "30", "30.0%"],
        ["the viewer has seen what is left as often as may be", "10", "10.0%"],
        ["the viewer's membership is without ads", "60", "60.0%"],
    ]
    [row] = rows(page, "Live flights")
    assert (flight.name in row[1], row[2], row[4]) == (True, "240.00 CNY", "0.00 CNY")


def test_a_flights_today_stands_beside_what_was_planned_by_now(in_school: Tenant) -> None:
    """Of 240 yuan over a day that began at noon, 10 an hour: two hours on 20 were planned, and 6 are spent."""
    adverts.live(budget=24_000, is_even=True)
    Flight.objects.update(spent=600_000_000, spent_today=600_000_000, today=DAY)

    [row] = rows(opened("ads", look(in_school, at=NOON + timedelta(hours=2))), "Live flights")

    assert row[6:8] == ["6.00 CNY", "20.00 CNY"]


def test_psi_is_nothing_for_the_same_and_large_for_another_population() -> None:
    """Half and half against nine and one: (0.9-0.5) ln 1.8 + (0.1-0.5) ln 0.2 is 0.879."""
    even = {"feed": 50_000, "search": 50_000}

    assert queries.psi(even, {"feed": 5_000, "search": 5_000}) == pytest.approx(0, abs=1e-6)
    assert queries.psi(even, {"feed": 9_000, "search": 1_000}) == pytest.approx(0.879, abs=1e-3)
    assert queries.psi(even, {"feed": 10_000}) > 1, "What is not there any more counts by half an event."


def test_quality_raises_an_alert_when_a_distribution_has_shifted(in_school: Tenant) -> None:
    for n in range(1, 36):
        phones = 10 if n <= 7 else 90
        figures("plays_by_device", day=DAY - timedelta(days=n), phone=phones, unknown=100 - phones)
        figures("plays", day=DAY - timedelta(days=n), feed=75, none=25)
    figures("kept_out", bot=5)
    figures("received", minute=90, later=10)
    alerts = {"alerts": ["events_are_old"], "drift": {"topics": 0.5}}
    PortraitRun.objects.create(at=NOON, finished_at=NOON, half_life_days=7, quality=alerts)

    page = opened("quality", look(in_school, days=28))

    states = {row[0]: row[2] for row in rows(page, "Has it shifted")}
    assert states == {
        "how far is watched": "too little to tell",
        "the hours of the day": "too little to tell",
        "where plays begin": "stable",
        "devices": "shifted: look into it",
    }
    assert rows(page, "To be looked at") == [["devices: shifted"], ["no events have come in lately"]]
    assert card(page, "Alerts").is_alarming
    assert (card(page, "Source unknown").shown, card(page, "Came in within a minute").shown) == ("25.0%", "90.0%")
    assert drawn(part(page, "Watches kept out"))["Bot"][-1] == 5
    assert ["drift of topics (PSI)", "0.500"] in rows(page, "What the last refresh")


def test_work_tells_what_waits_is_dead_and_was_left_out(in_school: Tenant) -> None:
    name, late = list(settings.RECURRING_JOBS)[:2]
    every = timedelta(seconds=settings.RECURRING_JOBS[late][0])
    minutes = timedelta(minutes=1)
    told = {"due_at": NOON - 2 * minutes, "created_at": NOON - 2 * minutes}
    Job.objects.create(name=name, state="done", finished_at=NOON - minutes, **told)
    Job.objects.create(name=name, state="waiting", **told)
    Job.objects.create(
        name=late, state="dead", error="Traceback\nValueError: no", due_at=NOON, created_at=NOON - 3 * every
    )

    page = opened("work", look(in_school))

    shown = {of.title: (of.shown, of.is_alarming) for of in page.cards}
    assert shown["Jobs waiting"] == ("1", False)
    assert shown["Waiting longest"] == ("2.0 min", False)
    assert shown["Jobs dead"] == shown["Rounds left out"] == ("1", True)
    assert drawn(part(page, "From due to done"))["seconds"] == [60.0]
    assert {row[0]: row[4] for row in rows(page, "What is done")}[late] == "left out"
    assert rows(page, "Dead jobs")[0][3] == "ValueError: no"


@COMMITTED
def test_operators_compare_tenants_in_few_questions(school: Tenant, agency: Tenant) -> None:
    for tenant, plays, minor in ((school, 10, 30_000), (agency, 40, 10_000)):
        with scope(tenant):
            figures("plays", feed=plays)
            figure("viewers", 14)
            figures("sales", item_CNY=minor)
            figures("platform_fees", CNY=minor // 10)
            figure("plays", 10_000, "feed", creator=things.creator(make.member()))
    with scope(agency):
        Job.objects.create(name="x", state="dead", due_at=NOON)

    with CaptureQueriesContext(connections["operator"]) as asked:
        page = opened("tenants", look(None))

    assert len(asked) <= 5
    assert (card(page, "Plays").shown, card(page, "Viewers a day").shown) == ("50", "4")
    assert card(page, "Sales in CNY").shown == "400.00 CNY"
    assert drawn(part(page, "Tenants with most plays")) == {"plays": [40, 10]}
    [first, second] = [row[1:] for row in rows(page, "Tenants compared")]
    assert first == ["40", "2.0", "100.00 CNY", "0.00 CNY", "10.00 CNY", "0.00 CNY", "10.0%", "1"]
    assert second[-1] == "0"
