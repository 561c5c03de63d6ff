"""What somebody with an odd address, an odd clock or odd numbers gets of the pages of figures."""

import re
from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from billing import operations as money
from billing.queries import balances, next_maturity, tenants_time
from catalog import operations as catalog
from creators.models import Creator
from kpplatform.console.pages import BY_SLUG, words
from kpplatform.console.pages.shapes import Card, Chart, Cohorts, Line, Look, Panel
from kpplatform.console.pages.studio.income import _currencies, _moved
from kpplatform.console.pages.tenants import _sold
from kpplatform.console.templatetags.figures import csv_of
from kpplatform.metrics import operations as metrics
from kpplatform.metrics.queries import METRICS
from kpplatform.metrics.queries.courses import scorecards
from kpplatform.tenancy.models import Member, Tenant
from tests import make
from tests.billing import shop
from tests.catalog import things
from tests.conftest import NOON
from tests.kpplatform.test_figures import address, of
from tests.metrics import happened
from tests.metrics.figured import card, figure, look, part, rows
from tests.metrics.happened import DAY

pytestmark = pytest.mark.usefixtures("_fresh_cache")
HUGE = "9" * 5_000  # Python refuses to read it as a number


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with override("en"):
        yield


@pytest.fixture
def maker(in_school: Tenant) -> Creator:
    return things.creator(make.member(Member.Role.CREATOR), handle="maker")


@pytest.fixture
def staff(in_school: Tenant) -> Client:
    return of(make.member(Member.Role.STAFF))


def looked(maker: Creator, *, days: int = 7, **asked: str) -> Look:
    return Look(maker.tenant, maker, DAY - timedelta(days=days - 1), DAY, NOON, asked, by=maker.member)


@pytest.mark.parametrize(
    ("slug", "asked", "status"),
    [
        ("audience", {"days": HUGE}, 200),
        ("studio-videos", {"item": HUGE}, 404),
        ("studio-videos", {"item": "a\0"}, 404),
        ("studio-comments", {"before": HUGE}, 200),
        ("studio", {"creator": "a\0b"}, 404),
    ],
)
def test_no_address_is_a_fault(slug: str, asked: dict[str, str], status: int, maker: Creator, staff: Client) -> None:
    answer = staff.get(address(BY_SLUG[slug], **{"creator": maker.handle} | asked))

    assert answer.status_code == status


@pytest.mark.parametrize("page", ["x", "0", "999", pytest.param(HUGE, id="huge")])
def test_no_page_of_what_was_searched_for_is_a_fault(page: str, staff: Client) -> None:
    assert staff.get(reverse("admin:search"), {"s": "order", "page": page}).status_code == 404
    assert staff.get(reverse("admin:search"), {"s": "order"}).status_code == 200


def test_times_are_those_of_the_tenants_clock(maker: Creator, staff: Client) -> None:
    """In Shanghai it is eight hours later."""
    at = timezone.now().replace(minute=7) - timedelta(days=1)
    video = things.video(maker, published_at=at - timedelta(days=1))
    written = catalog.comment(viewer=make.member(), item=video, body="Lovely", parent_id=None, at=at)
    there = at.astimezone(ZoneInfo("Asia/Shanghai"))

    listed = staff.get(address(BY_SLUG["studio-comments"], creator=maker.handle)).content.decode()
    row = staff.get(reverse("admin:catalog_comment_change", args=[written.pk])).content.decode()

    assert f"{there:%m/%d/%Y} {there.hour % 12 or 12}:07" in listed
    assert f" {there.day}, {there.year}, {there.hour % 12 or 12}:07" in row
    assert timezone.get_current_timezone_name() == "UTC", "The next request begins with no clock of anybody's."


def test_staff_go_on_to_other_pages_of_the_same_studio(maker: Creator, staff: Client) -> None:
    shown = staff.get(address(BY_SLUG["studio"], creator=maker.handle))

    links = {item["link"]: item["active"] for item in shown.context["sidebar_navigation"][0]["items"]}

    assert len(links) == 8
    assert [link for link, is_here in links.items() if is_here] == [address(BY_SLUG["studio"], creator="maker")]
    assert {staff.get(link).status_code for link in links} == {200}


def test_a_share_of_nothing_is_told_and_no_share_is_not() -> None:
    shares, none = [Line("came back", [None, 0.0])], [Line("came back", [None, None])]

    assert not Chart("x", ["1", "2"], shares, suffix="%").is_empty
    assert Chart("x", ["1", "2"], none, suffix="%").is_empty
    assert Chart("x", ["1", "2"], [Line("plays", [0, 0])]).is_empty


def test_less_than_nothing_is_no_measure_of_more() -> None:
    assert words.change(100, -50) is None
    assert words.change(-50, 100) == -1.5


def test_the_deepest_colour_leaves_its_number_readable() -> None:
    """Black on #7c3aed at 45 % on white, and white on it on black, are at least 7 to 1."""
    [row] = Cohorts("x", ["a", "b", "c"], [("May", 2, [1.0, None])], "").cells

    assert [cell and cell["strength"] for cell in row["shares"]] == [45, None]


def test_a_panel_paints_more_refunds_as_worse() -> None:
    panel = Panel("x", [Card("Refunds", "2", 1.0, more_is_worse=True), Card("Plays", "2", 0.0)])

    page = render_to_string("console/parts/panel.html", {"part": panel})

    assert ("text-red-700" in page, "text-green-700" in page) == (True, False)


def test_a_weeks_newcomers_are_all_of_the_week(in_school: Tenant) -> None:
    """The first week that is shown begins on a Monday, and its Monday's newcomers are among them."""
    first = DAY - timedelta(weeks=8, days=DAY.weekday())
    figure("retained", 3, "0", day=first)
    figure("retained", 2, "0", day=first + timedelta(days=6))

    page = BY_SLUG["audience"].build(look(in_school))

    assert part(page, "Each week's newcomers").rows[0][1] == 5
    assert [str(line.name) for line in part(page, "Newcomers who").lines] == [
        "after 1 day", "after 7 days", "after 30 days",
    ]  # fmt: skip


def test_how_many_come_daily_is_told_of_a_day_that_is_over(in_school: Tenant) -> None:
    for n, viewers in ((1, 30), (2, 10)):
        figure("viewers", viewers, day=DAY - timedelta(days=n))
        figure("came_back", viewers, "new", day=DAY - timedelta(days=n))

    page = BY_SLUG["audience"].build(look(in_school))

    assert card(page, "Daily of monthly viewers").shown == "75.0%"
    assert card(page, "Viewers a day").shown == "5.7"


def test_a_courses_refunds_are_held_against_sales_of_the_same_currency(maker: Creator) -> None:
    """Of 100.00 CNY a tenth was given back; what happened in yen says nothing of it."""
    course = things.course(maker)
    for name, minor, kind in (("sales", 10_000, "item:CNY"), ("refunds", 1_000, "item:CNY"), ("sales", 9, "item:JPY")):
        figure(name, minor, kind, creator=maker, item=course)
    figure("refunds", 9_000, "item:JPY", creator=maker, item=course)

    [told] = scorecards(maker, looked(maker).span, at=NOON)

    assert told.kept == 0.9


def test_csv_of_an_items_chart_is_the_items(maker: Creator) -> None:
    video = things.video(maker, published_at=NOON - timedelta(days=1))
    page = BY_SLUG["studio-videos"].build(looked(maker, item=str(video.pk)))

    chart = part(page, "Minutes watched")

    assert csv_of(looked(maker), chart, METRICS["watch_ms"]).endswith(f"&creator=maker&item={video.pk}")
    assert "item" not in csv_of(looked(maker), part(BY_SLUG["studio"].build(looked(maker)), "Impr"), METRICS["plays"])


def test_a_median_of_few_tells_nobody_what_another_has(maker: Creator) -> None:
    """Of two the median and one's own say what the other has."""
    figure("standing", 4_000_000, "followers")
    figure("standing", 2_000_000, "followers", creator=maker)
    figure("brand", 100_000, "followers", creator=maker)
    for _ in range(3):
        figure("standing", 6_000_000, "followers", creator=things.creator())

    few = {slug: _medians(maker, slug) for slug in ("studio-brand", "studio-ranking")}
    figure("standing", 6_000_000, "followers", creator=things.creator())
    enough = {slug: _medians(maker, slug) for slug in few}

    assert few == {slug: {"–"} for slug in few}
    assert {slug: "4" in told for slug, told in enough.items()} == dict.fromkeys(few, True)


def _medians(maker: Creator, slug: str) -> set[str]:
    page = BY_SLUG[slug].build(looked(maker))
    headers = part(page, "What").headers
    return {row[headers.index("median")] for row in rows(page, "What")}


def test_a_creator_is_not_told_how_often_the_tenant_is_played(maker: Creator) -> None:
    figure("plays_by_hour", 31_000, "20")
    figure("plays_by_hour", 9_000, "21")

    panel = part(BY_SLUG["studio-advice"].build(looked(maker)), "When to publish")

    assert "Publish before 20:00" in panel.told
    assert "78%" in panel.told
    assert "000" not in panel.told.replace("20:00", "")
    assert panel.facts == ()


def test_what_is_earned_in_other_currencies_stands_by_itself(maker: Creator) -> None:
    figure("creator_income", 700, "sale:item:USD", creator=maker)
    figure("creator_income", 9, "tip:CNY", creator=maker)

    [table] = _currencies(looked(maker))

    assert table.rows == [["USD", "7.00 USD", "0.00 USD"]]


def test_movements_have_names() -> None:
    assert [_moved(kind) for kind in ("sale:ebook", "refund", "tip", "ad_credit")] == [
        "sold: e-books",
        "given back",
        "tips",
        "given back to advertisers",
    ]


def test_the_next_to_mature_is_the_creators_however_many_others_come_before(
    maker: Creator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(balances, "LOOKED_AT", 1)
    shop.bought(make.member(), shop.course_for(100))
    assert next_maturity(maker) is None

    course = things.course(maker)
    money.set_price(item=course, by=maker.member, amount=shop.yuan(100), at=NOON)
    line = shop.line_of(shop.bought(make.member(), course))

    assert line.matures_at
    assert next_maturity(maker) == line.matures_at


def test_the_largest_sellers_are_drawn_currency_by_currency() -> None:
    """A yen is not compared with a dollar: of each currency the largest come first."""
    tenants = {n: Tenant(pk=n, name=f"T{n}") for n in range(1, 12)}
    now = {n: {("sales", "JPY"): 1_000_000 * n} for n in range(1, 11)} | {11: {("sales", "USD"): 100}}

    drawn = _sold(now, tenants)

    assert drawn.labels == ["T10", "T11", "T9", "T8", "T7", "T6", "T5", "T4"]
    assert [line.values[:2] for line in drawn.lines] == [[10_000_000, 0], [0, 1]]


def test_every_table_says_which_cells_are_headers(maker: Creator, staff: Client) -> None:
    video = things.video(maker, published_at=timezone.now() - timedelta(days=3))
    happened.watch(make.member(), video, at=timezone.now() - timedelta(days=1))
    metrics.count_day(day=tenants_time(timezone.now() - timedelta(days=1)).date(), at=timezone.now())

    for page in ("audience", "money", "studio-videos"):
        shown = staff.get(address(BY_SLUG[page], creator=maker.handle)).content.decode()
        headers = re.findall(r"<th[ >][^>]*", shown)
        assert page == "money" or headers
        assert [header for header in headers if "scope=" not in header] == []
