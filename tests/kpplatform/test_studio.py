"""What the pages of the studio say, by numbers that one can check in the head."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing import operations as money
from catalog import operations as catalog
from catalog.models import Comment
from creators.models import Creator
from kpplatform.console.pages.shapes import Chart, Panel, Table
from kpplatform.metrics import operations as metrics
from kpplatform.tenancy.models import Member, Tenant
from recommender.training import refresh_portraits
from tests import make
from tests.billing import shop
from tests.catalog import things
from tests.kpplatform.test_figures import of
from tests.metrics.happened import show, watch
from tests.recommender.portrayed import members

pytestmark = pytest.mark.usefixtures("_fresh_cache")


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def maker(in_school: Tenant) -> Creator:
    return things.creator(make.member(Member.Role.CREATOR))


def counted(at: datetime) -> None:
    metrics.count_day(day=at.astimezone().date(), at=at)
    metrics.count_day(day=at.astimezone().date() + timedelta(days=1), at=at)  # where the tenant is it may be tomorrow


def opened(maker: Creator, slug: str, **asked: Any) -> Any:
    assert maker.member
    answer = of(maker.member).get(reverse("admin:figures", args=[slug], query=asked or None))
    assert answer.status_code == 200, answer.content[:500]
    return answer.context["shown"]


def part(shown: Any, title: str) -> Any:
    return next(part for part in shown.parts if part.title == title)


def facts(panel: Panel) -> dict[str, str]:
    return {str(card.title): card.shown for card in panel.facts}


def test_the_overview_has_five_panels_that_lead_on(maker: Creator, now: datetime) -> None:
    video = things.video(maker, published_at=now - timedelta(days=1))
    viewer = make.member()
    show(viewer, video, video, at=now)
    watch(viewer, video, at=now, watch_ms=60_000)
    watch(viewer, video, at=now, source="search", watch_ms=20_000)
    counted(now)

    panels = [part for part in opened(maker, "studio").parts if isinstance(part, Panel)]

    assert [panel.title for panel in panels] == ["Quality", "Audience", "Recommendation", "Money", "Interaction"]
    assert facts(panels[0]) == {"Watched to the end": "50.0%", "Still there halfway": "50.0%", "Mean play": "40.0 s"}
    assert facts(panels[2]) == {"Impressions": "2", "Click rate": "50.0%", "Plays": "2"}
    assert maker.member
    for panel in panels:
        assert of(maker.member).get(panel.href).status_code == 200, panel.href


def test_an_item_is_shown_beside_the_creators_usual(maker: Creator, now: datetime) -> None:
    first, second = (things.video(maker, published_at=now - timedelta(days=1), title=name) for name in ("One", "Two"))
    show(make.member(), first, at=now)
    watch(make.member(), first, at=now, watch_ms=30_000)
    watch(make.member(), first, at=now, watch_ms=60_000)
    watch(make.member(), second, at=now, watch_ms=60_000)
    counted(now)

    table = part(opened(maker, "studio-videos"), "What you published, the most played first")
    one = opened(maker, "studio-videos", item=first.pk)

    assert [row[1:4] for row in table.rows] == [["1", "200.0%", "2"], ["0", "–", "1"]]
    assert f"item={first.pk}" in table.rows[0][0]
    curve = part(one, "Who is still watching, by how much was played")
    assert [line.values[20] for line in curve.lines] == [50.0, 66.7]
    assert [line.values[0] for line in curve.lines] == [100.0, 100.0]


def test_nobody_sees_anothers_items(maker: Creator, now: datetime) -> None:
    theirs = things.video(title="Theirs")
    written = catalog.comment(viewer=make.member(), item=theirs, body="Lovely", parent_id=None, at=now)
    client = of(maker.member) if maker.member else Client()

    for item in (theirs.pk, "x", "9" * 30, "٧"):
        assert client.get(reverse("admin:figures", args=["studio-videos"], query={"item": item})).status_code == 404
    shown = opened(maker, "studio-comments", before=written.pk)
    assert part(shown, "Without your answer, the newest first").rows == []


def test_the_mix_adds_up_and_balances_are_the_ledgers(maker: Creator, now: datetime) -> None:
    course = things.course(maker)
    money.set_price(item=course, by=maker.member, amount=shop.yuan(10_000), at=now - timedelta(days=2))
    order = money.place_order(viewer=make.member(), item=course, key="order", at=now)
    money.capture(payment=shop.payment_of(order), reference="co", at=now)
    counted(now)
    share = shop.line_of(order).share

    shown = opened(maker, "studio-income")

    cards = {str(card.title): card.shown for card in shown.cards}
    assert cards["Income"] == cards["Still refundable"] == str(shop.yuan(share))
    assert cards["Next matures"] != "–"
    [row] = part(shown, "The mix").rows
    assert row[:3] == ["videos and courses", str(shop.yuan(share)), "100.0%"]
    [line] = part(shown, "Income by kind").lines
    assert sum(line.values) == share / 100


def test_who_waits_for_an_answer_is_listed_page_by_page(maker: Creator, now: datetime) -> None:
    video, fan = things.video(maker), make.member()
    written = [
        catalog.comment(viewer=fan, item=video, body=f"No. {n}", parent_id=None, at=now - timedelta(hours=n))
        for n in range(23)
    ]
    assert maker.member
    catalog.comment(viewer=maker.member, item=video, body="Thanks", parent_id=written[0].pk, at=now)
    catalog.delete_comment(comment=Comment.objects.get(pk=written[1].pk), by=fan, at=now)

    first = opened(maker, "studio-comments")
    older = next(part for part in first.parts if isinstance(part, Panel)).href
    second = of(maker.member).get(older).context["shown"]

    link = re.search('href="([^"]*)"', first.parts[0].rows[0][4])
    assert link
    sent = {"action": "reply", "_selected_action": [written[2].pk], "words": "At last"}
    assert of(maker.member).post(link[1], sent).status_code == 302
    after = opened(maker, "studio-comments")

    listed = [row[3] for row in first.parts[0].rows]
    assert listed == [f"No. {n}" for n in range(2, 22)]
    assert [row[3] for row in second.parts[0].rows] == ["No. 22"]
    assert [row[3] for row in after.parts[0].rows] == [f"No. {n}" for n in range(3, 23)]
    assert Comment.objects.get(parent=written[2].pk).viewer == maker.member


def test_a_portrait_keeps_the_rules_of_its_door(maker: Creator, now: datetime) -> None:
    video = things.video(maker, published_at=now - timedelta(days=1))
    few = opened(maker, "studio-audience")
    assert "nobody is told apart" in part(few, "Portrait of your audience").told

    for viewer in members(20):
        watch(viewer, video, at=now - timedelta(hours=2))
    refresh_portraits(tenant=maker.tenant, at=now)
    told = opened(maker, "studio-audience")

    assert facts(part(told, "Portrait of your audience")) == {"Viewers": "20", "Fewest in a group": "20"}
    assert list(part(told, "New and returning").labels) == ["new"]


def test_a_portrait_is_of_fewer_days_where_the_others_add_too_few(maker: Creator, now: datetime) -> None:
    """Nineteen came before the last week: with them, one could be told apart. Of a week alone, all 30 are told of."""
    video = things.video(maker, published_at=now - timedelta(days=20))
    viewers = members(49)
    for number, viewer in enumerate(viewers):
        watch(viewer, video, at=now - (timedelta(hours=2) if number < 30 else timedelta(days=10)))
    refresh_portraits(tenant=maker.tenant, at=now)

    told = opened(maker, "studio-audience")

    about = part(told, "Portrait of your audience")
    assert facts(about)["Viewers"] == "30"
    assert about.told.endswith("It is of the last 7 days: those before add too few.")
    assert sum(part(told, "When they are most active anywhere").lines[0].values) == 30


def test_a_noisy_answer_is_the_same_whenever_the_page_is_opened(maker: Creator, now: datetime) -> None:
    maker.tenant.settings = {"audience": {"epsilon": 0.5, "budget": 1.0, "k": 5}}
    maker.tenant.save()
    video = things.video(maker, published_at=now - timedelta(days=1))
    for viewer in members(60):
        watch(viewer, video, at=now - timedelta(hours=2))
    refresh_portraits(tenant=maker.tenant, at=now)

    seen = [facts(part(opened(maker, "studio-audience"), "Portrait of your audience")) for _ in range(2)]

    assert seen[0] == seen[1]
    assert seen[0]["Noise: ε"] == "0.5"


def test_the_brand_page_shows_parts_that_add_up(maker: Creator, now: datetime) -> None:
    things.video(published_at=now - timedelta(days=1))
    watch(make.member(), things.video(maker, published_at=now - timedelta(days=1)), at=now)
    counted(now)

    shown = opened(maker, "studio-brand")

    rows = part(shown, "What it is made of").rows
    points = sum(float(row[5].partition(" / ")[0]) for row in rows)
    assert shown.cards[0].shown == f"{points:.0f}" == "25", "Of two creators it alone was watched."
    assert isinstance(shown.parts[1], Chart)


def test_advice_names_its_numbers_and_ranking_its_factors(maker: Creator, now: datetime) -> None:
    video = things.video(maker, topic=things.topic(), title="Hi", published_at=now - timedelta(days=1))
    viewer = make.member()
    for _ in range(30):
        watch(viewer, video, at=now)
    counted(now)

    advice, ranking = opened(maker, "studio-advice"), opened(maker, "studio-ranking")

    assert "0% of all its plays here" in part(advice, "How long").told
    assert list(facts(part(advice, "How long")).values()) == ["0%"], "How many plays is the tenant's to know."
    assert "100% of 30" in part(advice, "When to publish").told
    [row] = part(advice, "Titles, descriptions and tags of your newest").rows
    assert "it is 2 wide, 10 is the least" in row[1]
    factors = part(ranking, "What the feed looks at")
    assert isinstance(factors, Table)
    assert [row[1] for row in factors.rows][:1] == ["1"]
