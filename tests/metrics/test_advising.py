"""What the figures advise, on plays whose numbers one can check in the head."""

from datetime import date, timedelta

import pytest

from catalog.models import Item
from catalog.queries import Fault, remarks
from creators.models import Creator
from kpplatform.metrics import queries
from kpplatform.metrics.models import DailyFigure
from kpplatform.metrics.queries import Span
from kpplatform.metrics.queries.advising import Keyword, best_hour, best_length, keywords, niches
from kpplatform.metrics.queries.courses import scorecards
from kpplatform.metrics.queries.weekly import actions
from tests import make
from tests.catalog import things
from tests.conftest import NOON
from tests.metrics.happened import DAY, counted, watch

pytestmark = pytest.mark.usefixtures("in_school")
AT = Span(DAY, DAY)
MONDAY = date(2026, 4, 27)


def played(item: Item, times: int, *, finished: int = 0) -> None:
    """Let the item be played so often, so many times to its end."""
    viewer, length = make.member(), item.duration_ms or 60_000
    for number in range(times):
        watch(viewer, item, watch_ms=length if number < finished else 1_000, duration_ms=length)


def figure(creator: Creator, name: str, day: date, value: int, part: str = "", item: Item | None = None) -> None:
    DailyFigure.objects.create(day=day, metric=name, creator=creator, item=item, part=part, value=value)


def test_plays_are_told_by_topic_and_length() -> None:
    piano = things.topic()
    played(things.video(topic=piano, duration_ms=29_000), 3, finished=2)
    played(things.video(topic=piano, duration_ms=30_000), 2)
    played(things.video(duration_ms=600_000), 1)

    counted()

    assert queries.by_part("plays_by_length", AT) == {f"{piano.pk}:1": 3, f"{piano.pk}:2": 2, "0:5": 1}
    assert queries.by_part("finished_by_length", AT) == {f"{piano.pk}:1": 2}


def test_the_best_length_is_what_is_watched_to_the_end_by_whomever() -> None:
    piano, creator = things.topic(), things.creator()
    played(things.video(creator, topic=piano, duration_ms=200_000), 40, finished=4)
    played(things.video(topic=piano, duration_ms=20_000), 30, finished=15)
    played(things.video(topic=piano, duration_ms=40_000), 29, finished=29)
    counted()

    found = best_length(creator, AT, at=NOON)

    assert found.topic == piano
    assert [(of.begins_s, of.ends_s, of.plays) for of in found.lengths] == [(15, 30, 30), (120, 300, 40)]
    assert found.best
    assert (found.best.begins_s, found.best.completion) == (15, 0.5)
    assert found.usual
    assert found.usual.completion == 0.1


def test_the_best_hour_is_the_creators_own_where_enough_was_played() -> None:
    """Noon of the tests is 20:00 in Shanghai."""
    creator, other = things.creator(), things.creator()
    for of, hours, times in ((creator, 0, 20), (creator, 1, 10), (other, -3, 31)):
        item = things.video(of)
        viewer = make.member()
        for _ in range(times):
            watch(viewer, item, at=NOON + timedelta(hours=hours))
    counted()

    own, newcomers = best_hour(creator, AT), best_hour(things.creator(), AT)

    assert own
    assert (own.hour, own.plays, own.of, own.is_own) == (20, 20, 30, True)
    assert newcomers
    assert (newcomers.hour, newcomers.plays, newcomers.of, newcomers.is_own) == (17, 31, 61, False)


def test_a_niche_is_played_more_than_there_is_of_it() -> None:
    """Chess has three quarters of the plays and a quarter of the items."""
    creator, piano, chess = things.creator(), things.topic(), things.topic("chess")
    for _ in range(3):
        played(things.video(topic=piano), 10)
    played(things.video(creator, topic=chess), 90)
    counted()

    [found] = niches(creator, AT, at=NOON)

    assert found.topic == chess
    assert (found.demand, found.supply, found.creators, found.own) == (0.75, 0.25, 1, 1)
    assert found.gap == 0.5


def test_keywords_are_what_others_say_of_the_topic_and_the_creator_does_not() -> None:
    creator, piano = things.creator(), things.topic()
    things.video(creator, topic=piano, tags=["scales"])
    for tags in (["scales", "etude"], ["scales", "etude", "etude"], ["once"]):
        things.video(topic=piano, tags=tags)
    things.video(topic=things.topic("chess"), tags=["etude"])

    assert keywords(creator, piano, at=NOON) == [Keyword("etude", 2, 3)]
    assert keywords(creator, None, at=NOON) == []


def test_titles_are_checked_by_rules_that_are_written_down() -> None:
    creator, piano = things.creator(), things.topic()
    good = things.video(
        creator,
        topic=piano,
        title="Piano scales in ten minutes",
        tags=["scales", "beginners", "practice"],
        description="All twelve major scales, slowly and with both hands.",
    )
    bad = things.video(creator, title="LOOK AT THIS NOW!!")
    twin = things.video(creator, topic=piano, title="look at this now", tags=["a", "b", "c"])
    wide = things.video(creator, topic=piano, title="钢琴" * 16)
    items = [good, bad, twin, wide]

    found = remarks(items, own_titles=[item.title for item in items])

    faults = {item.pk: {remark.fault for remark in found[item.pk]} for item in items}
    assert faults[good.pk] == set()
    assert faults[bad.pk] == {Fault.NO_TOPIC, Fault.SAME_TITLE, Fault.FEW_TAGS, Fault.SHORT_DESCRIPTION, Fault.SHOUTING}
    assert faults[twin.pk] == {Fault.NO_TOPIC_WORD, Fault.SAME_TITLE, Fault.SHORT_DESCRIPTION}
    assert faults[wide.pk] == {Fault.TOO_LONG, Fault.FEW_TAGS, Fault.SHORT_DESCRIPTION}
    assert found[wide.pk][0].found == "64", "A character of Chinese is as wide as two others."
    assert {of.fault for of in remarks([things.video(creator, title="Hi")], own_titles=[]).popitem()[1]} >= {
        Fault.TOO_SHORT
    }


def test_a_courses_scorecard_is_made_of_what_is_known() -> None:
    creator, chess = things.creator(), things.topic("chess")
    course = things.course(creator, topic=chess)
    unknown = things.course(creator)
    Item.objects.filter(creator=creator).update(updated_at=NOON - timedelta(days=180))
    for name, value in (("plays", 20), ("finished", 10), ("saves", 1), ("sales", 100), ("refunds", 25)):
        figure(creator, name, DAY, value, "item:CNY" if name in {"sales", "refunds"} else "", item=course)
    for day, plays in ((DAY, 30), (DAY - timedelta(days=1), 20)):
        DailyFigure.objects.create(day=day, metric="plays_by_length", part=f"{chess.pk}:none", value=plays)

    empty, card = scorecards(creator, AT, at=NOON)

    assert (card.course, empty.course) == (course, unknown)
    assert (card.quality, card.usefulness, card.timeliness, card.demand) == (0.5, (0.5 + 0.75) / 2, 0.5, 1.5)
    assert (empty.quality, empty.usefulness, empty.demand) == (None, None, None)


def test_what_a_week_asks_for_is_compared_with_the_week_after() -> None:
    """Three of ten comments were answered in one week, all in the next, which asks for nothing."""
    creator = things.creator()
    for week, replies in ((0, 3), (1, 10)):
        day = MONDAY + timedelta(weeks=week)
        figure(creator, "comments", day, 10)
        figure(creator, "replies", day, replies)
    figure(things.creator(), "comments", MONDAY, 100)

    found = actions(creator=creator, currency="CNY", day=MONDAY + timedelta(weeks=2), weeks=4)

    [asked] = found
    assert (asked.rule.code, asked.week, asked.before, asked.after) == ("unanswered", MONDAY, 0.3, 1.0)
    assert asked.is_better
    [early] = actions(creator=creator, currency="CNY", day=MONDAY + timedelta(weeks=1), weeks=4)
    assert (early.after, early.is_better) == (None, None), "The week after is not over."


def test_income_by_one_way_and_refunds_are_of_the_tenants_currency() -> None:
    creator = things.creator()
    for part, value in (("sale:item:CNY", 900), ("tip:CNY", 100), ("tip:EUR", 5_000)):
        figure(creator, "creator_income", MONDAY, value, part)
    figure(creator, "sales", MONDAY, 1_000, "item:CNY")
    figure(creator, "refunds", MONDAY, 200, "item:CNY")

    found = actions(creator=creator, currency="CNY", day=MONDAY + timedelta(weeks=1), weeks=1)

    assert {of.rule.code: of.before for of in found} == {"one_way": 0.9, "given_back": 0.2}


def test_who_is_watched_little_is_told_nothing() -> None:
    creator = things.creator()
    played(things.video(creator, topic=things.topic()), 29)
    counted()

    assert best_hour(creator, AT) is None
    assert best_length(creator, AT, at=NOON).best is None
    assert niches(creator, AT, at=NOON) == []
