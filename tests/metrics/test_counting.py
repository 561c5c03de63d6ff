"""What is counted is what happened: by numbers that one can check in the head."""

import uuid
from datetime import timedelta

import pytest

from catalog import operations as catalog
from catalog.models import Reaction, Watch
from catalog.operations import Event
from creators import operations as creators
from kpplatform.metrics import queries
from kpplatform.metrics.dictionary import MILLION, Ratio
from kpplatform.metrics.models import DailyFigure, Visit
from kpplatform.metrics.queries import METRICS, Span
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.operations import stand_in
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.catalog import things
from tests.conftest import NOON
from tests.metrics.happened import DAY, counted, look, show, watch

pytestmark = pytest.mark.usefixtures("in_school")
AT = Span(DAY, DAY)


def test_plays_are_counted_of_the_item_of_its_creator_and_of_the_tenant() -> None:
    ann = things.creator()
    first, second, other = things.video(ann), things.video(ann), things.video()
    for item, many in ((first, 3), (second, 2), (other, 1)):
        for _ in range(many):
            watch(make.member(), item)
    watch(make.member(), first, quarantine=Watch.Quarantine.BOT)

    counted()

    assert queries.totals(["plays", "watch_ms"], AT) == {"plays": 6, "watch_ms": 180_000}
    assert queries.totals(["plays"], Span(DAY, DAY, ann)) == {"plays": 5}
    assert queries.totals(["plays"], Span(DAY, DAY, ann, first)) == {"plays": 3}
    assert queries.by_part("kept_out", AT) == {"bot": 1}


def test_words_that_were_stored_before_there_was_a_list_are_one_source(viewer: Member) -> None:
    course = shop.course_for(10_000)
    for before, source in enumerate(("popular", "feed", "taste", "", "x' OR true")):
        watch(make.member(), course, source=source)
        known = {"event_id": uuid.uuid4(), "viewer": viewer, "received_at": NOON}
        known["visited_at"] = NOON - before * timedelta(hours=1)
        Visit.objects.create(page=Visit.Page.PRODUCT, item=course, source=source, **known)
    shop.bought(viewer, course)

    counted()

    for metric in ("plays", "product_visits"):
        assert queries.by_part(metric, AT) == {"": 1, "feed": 1, "other": 3}
    assert queries.by_part("checkouts", AT) == {"other": 1}


def test_a_client_that_tells_a_thousand_sources_makes_one_row_a_day(viewer: Member) -> None:
    video = things.video()
    told = (
        Event(str(uuid.uuid4()), video.pk, NOON - n * timedelta(minutes=1), 10_000, f"from {n}", "")
        for n in range(1, 1_001)
    )

    recorded = catalog.record_watches(viewer=viewer, events=list(told), at=NOON)
    counted()

    assert (recorded.stored, recorded.quarantined) == (1_000, {})
    rows = DailyFigure.objects.filter(metric="plays", item=video).values_list("day", "part", "value")
    assert list(rows) == [(DAY, "other", 1_000)]


def test_a_day_is_the_tenants_own(in_school: Tenant) -> None:
    """Noon of the first of May is 20:00 in Shanghai: four hours later it is the second there."""
    assert in_school.time_zone == "Asia/Shanghai"
    video = things.video()
    watch(make.member(), video, at=NOON + timedelta(hours=4) - timedelta(seconds=1))
    watch(make.member(), video, at=NOON + timedelta(hours=4))

    counted(0, 1)

    assert [(of.day, of.value) for of in queries.series(["plays"], Span(DAY, DAY + timedelta(days=9)))["plays"]] == [
        (DAY, 1),
        (DAY + timedelta(days=1), 1),
    ]


def test_a_day_counted_again_is_the_same_and_late_events_are_added() -> None:
    video = things.video()
    watch(make.member(), video)
    counted()
    before = sorted(DailyFigure.objects.values_list("metric", "creator", "item", "part", "value"), key=str)

    counted()
    again = sorted(DailyFigure.objects.values_list("metric", "creator", "item", "part", "value"), key=str)
    watch(make.member(), video, received_at=NOON + timedelta(days=3))
    due = queries.days_due(at=NOON + timedelta(days=3))
    counted()

    assert again == before
    assert DAY in due
    assert queries.totals(["plays"], AT) == {"plays": 2}


def test_what_is_stored_is_what_the_events_say(viewer: Member) -> None:
    video = things.video()
    course = shop.course_for(10_000)
    show(viewer, video, course)
    watch(viewer, video)
    catalog.react(viewer=viewer, item=video, kind=Reaction.Kind.SHARE, at=NOON)
    creators.follow(viewer=viewer, creator=video.creator, at=NOON)
    look(viewer, item=course.pk)
    shop.give_back(shop.bought(viewer, course), 1_000)

    counted()

    stored = set(DailyFigure.objects.values_list("metric", "creator", "item", "part", "value"))
    assert stored == set(queries.counted(DAY))
    assert {name for name, *_ in stored} >= {"impressions", "plays", "shares", "follows", "product_visits", "sales"}


def test_the_way_from_a_look_to_the_money_is_told_by_where_the_look_came_from(viewer: Member) -> None:
    course = shop.course_for(10_000)
    look(viewer, creator=course.creator.handle, source="search")
    look(viewer, item=course.pk, source="search")
    look(viewer, item=course.pk, source="feed", at=NOON)
    look(make.member(), item=course.pk, source="search")
    shop.bought(viewer, course)

    counted()

    assert queries.by_part("product_visits", AT) == {"search": 2, "feed": 1}
    assert queries.by_part("profile_visits", AT) == {"search": 1}
    assert sum(queries.by_part("purchases", AT).values()) == 1
    assert queries.by_part("sales", Span(DAY, DAY, course.creator)) == {"item:CNY": 10_000}
    assert queries.totals(["checkouts", "purchases", "buyers"], AT) == {
        "checkouts": 1,
        "purchases": 1,
        "buyers": 1,
    }


def test_what_creators_and_the_platform_have_of_a_sale_is_what_the_ledger_says(viewer: Member) -> None:
    course = shop.course_for(10_000)
    line = shop.line_of(shop.bought(viewer, course))

    counted()

    assert queries.by_part("creator_income", AT) == {"sale:item:CNY": line.share}
    assert queries.by_part("platform_fees", AT) == {"CNY": line.platform}


def test_who_was_active_within_a_month_is_counted_once() -> None:
    video, often, once, early = things.video(), make.member(), make.member(), make.member()
    for after in (0, 1, 5):
        watch(often, video, at=NOON + timedelta(days=after))
    watch(once, video, at=NOON + timedelta(days=5))
    watch(early, video)

    counted(0, 1, 5)

    assert queries.active(DAY + timedelta(days=5), within=1) == 2
    assert queries.active(DAY + timedelta(days=5), within=5) == 2
    assert queries.active(DAY + timedelta(days=5), within=6) == 3


def test_a_cohort_is_who_came_on_a_day_and_who_of_them_came_again() -> None:
    video, loyal, gone = things.video(), make.member(), make.member()
    watch(gone, video)
    for after in (0, 1, 7):
        watch(loyal, video, at=NOON + timedelta(days=after))

    counted(0, 1, 7)

    assert queries.cohorts(AT) == {DAY: {0: 2, 1: 1, 7: 1}}


def test_a_retention_curve_falls_where_viewers_left() -> None:
    video = things.video()
    for share in (0.5, 0.5, 1.0, 1.2):
        watch(make.member(), video, watch_ms=int(60_000 * share))

    counted()

    curve = queries.retention_curve(Span(DAY, DAY, video.creator, video))
    assert (curve[0], curve[10], curve[11], curve[20]) == (1.0, 1.0, 0.5, 0.5)


def test_a_ratio_is_of_the_parts_it_names(viewer: Member) -> None:
    video = things.video()
    show(viewer, video, video, video, video)
    watch(viewer, video)
    watch(viewer, video, source="search", at=NOON + timedelta(minutes=2))

    counted()

    click_rate = METRICS["click_rate"]
    assert isinstance(click_rate, Ratio)
    [rate] = queries.ratio(click_rate, AT)
    assert rate.value == 250_000


def test_a_click_rate_is_of_those_of_whom_it_is_kept_where_a_play_began(viewer: Member) -> None:
    """A member plays one of four. Of four places that nobody saw two were played, and it is not kept from where."""
    video, nobody = things.video(), Member.objects.get(pk=stand_in())
    for who in (viewer, nobody):
        show(who, video, video, video, video)
    watch(viewer, video)
    for minutes in (2, 4):
        watch(nobody, video, source="", at=NOON + timedelta(minutes=minutes))

    counted()

    click_rate = METRICS["click_rate"]
    assert isinstance(click_rate, Ratio)
    assert queries.totals(["impressions", "impressions_known"], AT) == {"impressions": 8, "impressions_known": 4}
    for of in (AT, Span(DAY, DAY, video.creator), Span(DAY, DAY, video.creator, video)):
        assert queries.overall(click_rate, of) == 250_000


def test_what_nobody_watched_is_not_shared_out_among_the_viewers() -> None:
    """Two members watch half a minute each, and a hundred do who do not consent to be remembered."""
    video, nobody = things.video(), Member.objects.get(pk=stand_in())
    for viewer in (make.member(), make.member(), *[nobody] * 100):
        watch(viewer, video)

    counted()

    dwell = METRICS["dwell_ms"]
    assert isinstance(dwell, Ratio)
    assert [of.value for of in queries.ratio(dwell, AT)] == [30_000 * MILLION]
    assert queries.totals(["watch_ms", "viewers"], AT) == {"watch_ms": 102 * 30_000, "viewers": 2}


def test_nothing_is_counted_of_another_tenant(agency: Tenant) -> None:
    watch(make.member(), things.video())
    counted()

    with scope(agency):
        counted()

        assert queries.totals(["plays"], AT) == {"plays": 0}
        assert not DailyFigure.objects.exists()


def test_every_metric_is_defined_once_and_every_ratio_is_of_metrics() -> None:
    for metric in METRICS.values():
        assert str(metric.definition)
        if isinstance(metric, Ratio):
            assert {*metric.over, *metric.under} <= METRICS.keys()
