"""Loads that are tried: who sees which, what may not be tried, and which one holds in the end."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoCaptureOnCommitCallbacks

from billing.ads import operations, queries
from billing.ads.models import AdRulesChange, LoadChange, LoadTrial, LoadViewer
from billing.ads.operations import Caps
from billing.ads.serving.live import forget
from billing.models import Tier
from billing.operations import Wanted
from kpplatform.errors import Refused
from kpplatform.tenancy.models import Member, Tenant
from tests import make
from tests.billing import members, shop
from tests.billing.ads import adverts
from tests.billing.ads.adverts import DAY
from tests.billing.ads.loads import tried, viewer_of
from tests.catalog import things
from tests.conftest import NOON

LATER = NOON + timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _live(in_school: Tenant) -> None:
    adverts.live(budget=50_000)


def places(viewer: Member, **said: Any) -> list[int]:
    return [placed.behind for placed in adverts.shown(viewer, **{"at": LATER} | said)]


def test_a_viewer_sees_as_many_ads_as_their_arm_says() -> None:
    trial = tried(6, 3, 0, shares=(3_000, 3_000, 3_000))

    assert [places(viewer_of(trial, load)) for load in (6, 3, 0, None)] == [[6], [3], [], [6]]
    assert sorted(LoadViewer.objects.values_list("load", flat=True)) == [0, 3, 6]


def test_before_it_begins_and_once_it_is_over_everybody_has_the_usual_load() -> None:
    trial = tried(6, 3, starts_at=NOON + DAY)
    viewer = viewer_of(trial, 3)

    assert places(viewer, session="a") == [6]
    assert not LoadViewer.objects.exists()
    trial = operations.end_load_trial(trial=trial, by=trial.made_by, why="enough", at=LATER)
    forget()
    assert places(viewer, session="b", at=NOON + timedelta(hours=23)) == [6]
    assert (trial.ended_by, trial.why) == (trial.made_by, "enough")


def test_the_same_viewer_counts_once_since_their_first_page() -> None:
    trial = tried(6, 3)
    viewer = viewer_of(trial, 3)

    for minutes in (1, 2, 3):
        places(viewer, session=f"{minutes}", at=NOON + timedelta(minutes=minutes))

    assert [(of.viewer, of.dealt_at) for of in LoadViewer.objects.all()] == [(viewer, LATER)]


def test_of_who_is_noted_nothing_is_written_again() -> None:
    trial = tried(6, 3)
    viewer = viewer_of(trial, 3)
    places(viewer, session="a")

    with CaptureQueriesContext(connection) as asked:
        assert places(viewer, session="b") == [3]

    assert not [of for of in asked.captured_queries if 'INSERT INTO "ads_loadviewer"' in of["sql"]]


def test_hard_caps_hold_in_every_arm() -> None:
    adverts.live(budget=50_000, caps=Caps(1, 1, 1))
    trial = tried(6, 3)
    viewer = viewer_of(trial, 3)

    (first, second) = adverts.shown(viewer, size=12, at=LATER)
    assert (first.behind, second.behind) == (3, 6)
    assert len(adverts.shown(viewer, first=12, size=12, at=LATER)) == 1


def test_members_without_ads_see_none_whatever_their_arm_and_are_not_counted() -> None:
    trial = tried(6, 3)
    viewer = viewer_of(trial, 3)
    plan = members.plan(things.creator(make.member(Member.Role.CREATOR)))
    shop.bought_all(viewer, Wanted(product=plan.product))
    Tier.objects.update(is_ad_free=True)

    assert places(viewer) == []
    assert not LoadViewer.objects.exists()


def test_who_is_not_to_be_remembered_is_dealt_and_not_noted_and_staff_are_not_either() -> None:
    trial = tried(6, 3)

    assert places(viewer_of(trial, 3), is_remembered=False, session="f" * 17) == [3]
    assert places(viewer_of(trial, 3, role=Member.Role.STAFF)) == [3]
    assert not LoadViewer.objects.exists()


def test_where_nobody_sees_ads_some_can_be_tried(in_school: Tenant) -> None:
    in_school.settings["ad_every"] = 0
    assert not operations.has_ads()

    trial = tried(0, 8)

    assert operations.has_ads()
    assert [places(viewer_of(trial, load), size=8) for load in (0, 8)] == [[], [8]]


def test_what_is_published_is_the_fewest_items_between_two_ads_of_anybody() -> None:
    tried(6, 3)

    assert queries.rules_for_all(at=LATER).told()["frequency"] == "3 items at least between two ads"
    assert queries.rules_for_all(at=NOON + 28 * DAY).told()["frequency"] == "6 items at least between two ads"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"loads": (6,), "shares": (5_000,)}, "bad_loads"),
        ({"loads": (6, 6)}, "bad_loads"),
        ({"loads": (6, 1)}, "bad_loads"),
        ({"loads": (6, 101)}, "bad_loads"),
        ({"shares": (5_000, 5_001)}, "bad_loads"),
        ({"shares": (10_000, 0)}, "bad_loads"),
        ({"shares": (10_000,)}, "bad_loads"),
        ({"ends_at": NOON - DAY}, "bad_span"),
        ({"starts_at": NOON + 9 * DAY, "ends_at": NOON + 8 * DAY}, "bad_span"),
        ({"ends_at": NOON + 7 * DAY}, "bad_span"),
        ({"ends_at": NOON + 181 * DAY}, "bad_span"),
        ({"floor_bps": 0}, "bad_floor"),
        ({"floor_bps": 10_000}, "bad_floor"),
    ],
)
def test_what_cannot_be_tried_is_refused(said: dict[str, Any], code: str) -> None:
    usual: dict[str, Any] = {"loads": (6, 0), "shares": (5_000, 5_000), "floor_bps": 500, "ends_at": NOON + 28 * DAY}
    by = make.member(Member.Role.STAFF)

    with pytest.raises(Refused) as refused:
        operations.try_loads(by=by, name="Fewer", at=NOON, **{"starts_at": NOON} | usual | said)

    assert refused.value.code == code
    assert not LoadTrial.objects.exists()


def test_one_trial_at_a_time_and_the_next_once_it_is_over() -> None:
    first = tried(6, 3, days=9)

    with pytest.raises(operations.LoadsAreTried):
        tried(6, 12, at=NOON + 8 * DAY)

    second = tried(6, 12, at=NOON + 10 * DAY)
    first.refresh_from_db()
    assert (first.ended_at, first.ended_by) == (NOON + 9 * DAY, None)
    assert second.ended_at is None


def test_only_staff_try_end_and_adopt(viewer: Member) -> None:
    trial = tried(6, 3)

    asked: list[Callable[[], LoadTrial]] = [
        lambda: operations.end_load_trial(trial=trial, by=viewer, why="", at=LATER),
        lambda: operations.adopt_load(trial=trial, every=3, by=viewer, why="", at=LATER),
        lambda: tried(6, 12, by=viewer),
    ]
    for do in asked:
        with pytest.raises(Refused) as refused:
            do()
        assert refused.value.code == "staff_only"


def test_a_load_that_is_adopted_holds_for_everybody_until_staff_set_another(
    viewer: Member, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    trial = tried(6, 3)
    staff = trial.made_by

    with django_capture_on_commit_callbacks(execute=True):
        adopted = operations.adopt_load(trial=trial, every=4, by=staff, why="the best", at=LATER)
        again = operations.adopt_load(trial=trial, every=4, by=staff, why="twice is once", at=LATER)

    forget()
    assert adopted.ended_at == again.ended_at == LATER
    assert places(viewer) == [4]
    (change,) = LoadChange.objects.all()
    assert (change.before, change.load, change.by, change.why) == (6, 4, staff, "the best")

    with django_capture_on_commit_callbacks(execute=True):
        operations.change_ad_rules(changes={"every": 5}, by=staff, at=LATER)
    assert places(viewer, session="later") == [5]
    assert queries.rules_for_all(at=LATER).every == 5
    assert [of.after for of in AdRulesChange.objects.order_by("pk")] == [{"every": 4}, {"every": 5}]


@pytest.mark.parametrize(
    ("loads", "every", "may"),
    [
        ((6, 3), 2, False),
        ((6, 3), 7, False),
        ((6, 3), 0, False),
        ((0, 6), 50, True),
        ((0, 6), 0, True),
        ((0, 6), 5, False),
    ],
)
def test_nothing_is_adopted_that_is_beyond_what_was_tried(loads: tuple[int, int], every: int, *, may: bool) -> None:
    trial = tried(*loads)
    said: dict[str, Any] = {"trial": trial, "every": every, "by": trial.made_by, "why": "", "at": LATER}

    if may:
        operations.adopt_load(**said)
    else:
        with pytest.raises(operations.NotTried):
            operations.adopt_load(**said)

    assert LoadChange.objects.exists() == may


def test_nothing_is_adopted_before_it_was_tried() -> None:
    trial = tried(6, 3, starts_at=NOON + DAY)

    with pytest.raises(operations.NotTried):
        operations.adopt_load(trial=trial, every=3, by=trial.made_by, why="", at=LATER)

    trial.refresh_from_db()
    assert trial.ended_at is None


def test_nothing_is_adopted_while_others_are_tried() -> None:
    first = tried(6, 3, days=9)
    tried(6, 12, at=NOON + 10 * DAY)

    with pytest.raises(operations.LoadsAreTried):
        operations.adopt_load(trial=first, every=3, by=first.made_by, why="", at=NOON + 11 * DAY)


def test_a_trial_is_read_every_hour_and_ended_by_the_clock() -> None:
    trial = tried(6, 3, days=9)
    places(viewer_of(trial, 3))

    hours = [operations.read_load_trials(at=NOON + timedelta(minutes=of)) for of in (5, 30, 65, 70)]
    ended = [operations.end_load_trials(at=NOON + of * DAY) for of in (8, 9, 10)]

    assert hours == [1, 0, 1, 0]
    assert ended == [0, 1, 0]
    trial.refresh_from_db()
    assert trial.figures["dealt"] == {"3": 1}
    assert trial.read_at == trial.ended_at == NOON + 9 * DAY
    assert trial.figures["arms"]["3"]["viewers"] == 1
