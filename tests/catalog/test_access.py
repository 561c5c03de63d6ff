"""Who may watch what, and since when."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from catalog import operations, queries
from catalog.models import Item
from kpplatform.tenancy.models import Member
from tests import make
from tests.catalog import things
from tests.conftest import NOON

HOUR = timedelta(hours=1)


def watchable(viewer: Member, at: datetime = NOON) -> set[Item]:
    return set(queries.watchable_by(viewer, at=at))


def test_a_free_video_is_watchable_by_everybody(viewer: Member) -> None:
    video = things.video()

    seen = watchable(viewer)

    assert seen == {video}


def test_a_scheduled_video_appears_when_its_time_comes(viewer: Member) -> None:
    video = things.video(published_at=NOON + HOUR, state=Item.State.SCHEDULED)

    before, after = watchable(viewer, NOON), watchable(viewer, NOON + HOUR)

    assert (before, after) == (set(), {video})


@pytest.mark.parametrize("state", [Item.State.DRAFT, Item.State.WITHDRAWN])
def test_what_is_not_published_is_watchable_by_nobody(viewer: Member, state: Item.State) -> None:
    video = things.video(state=state)

    operations.grant_access(viewer=viewer, item=video, source="gift", starts_at=NOON)

    assert watchable(viewer) == set()


def test_a_paid_item_is_watchable_by_whom_it_was_granted_while_it_lasts(viewer: Member) -> None:
    course, other = things.course(), make.member()

    operations.grant_access(viewer=viewer, item=course, source="order:1", starts_at=NOON, ends_at=NOON + HOUR)

    assert watchable(viewer, NOON - HOUR / 2) == set()
    assert watchable(viewer, NOON) == {course}
    assert watchable(viewer, NOON + HOUR) == set()
    assert watchable(other, NOON) == set()


def test_a_revoked_grant_stays_revoked_when_it_is_said_again(viewer: Member) -> None:
    course = things.course()
    operations.grant_access(viewer=viewer, item=course, source="order:1", starts_at=NOON)

    assert operations.revoke_access(viewer=viewer, item=course, source="order:1", at=NOON)
    assert not operations.revoke_access(viewer=viewer, item=course, source="order:1", at=NOON)
    operations.grant_access(viewer=viewer, item=course, source="order:1", starts_at=NOON)

    assert watchable(viewer) == set()


def test_revoking_one_source_leaves_what_another_granted(viewer: Member) -> None:
    course = things.course()
    for source in ("order:1", "gift:1"):
        operations.grant_access(viewer=viewer, item=course, source=source, starts_at=NOON)

    operations.revoke_access(viewer=viewer, item=course, source="order:1", at=NOON)

    assert watchable(viewer) == {course}


def test_a_grant_said_again_prolongs_and_never_shortens(viewer: Member) -> None:
    course = things.course()
    grant: dict[str, Any] = {"viewer": viewer, "item": course, "source": "subscription:1", "starts_at": NOON}

    ends = [
        operations.grant_access(**grant, ends_at=ends_at).ends_at
        for ends_at in (NOON + HOUR, NOON + 3 * HOUR, NOON + 2 * HOUR, None, NOON + HOUR)
    ]

    assert ends == [NOON + HOUR, NOON + 3 * HOUR, NOON + 3 * HOUR, None, None]


def test_a_lessons_video_is_playable_with_the_course_and_never_listed(viewer: Member) -> None:
    course = things.course()
    _preview, lesson = things.lessons_of(course)
    hidden = things.video(course.creator, published_at=None)
    operations.revise_lesson(lesson=lesson, by=course.creator.member, body="", video=hidden)

    assert not queries.playable_by(viewer, at=NOON).filter(pk=hidden.pk).exists()
    operations.grant_access(viewer=viewer, item=course, source="order:1", starts_at=NOON)

    assert queries.playable_by(viewer, at=NOON).filter(pk=hidden.pk).exists()
    assert watchable(viewer) == {course}


def test_lessons_play_when_they_are_previews_or_the_course_is_free_or_granted(viewer: Member) -> None:
    course, free = things.course(), things.course(is_free=True)
    preview, paid = things.lessons_of(course)

    for lesson in (preview, *things.lessons_of(free)):
        assert operations.play_lesson(viewer=viewer, lesson=lesson, at=NOON) == lesson

    with pytest.raises(operations.NotBought):
        operations.play_lesson(viewer=viewer, lesson=paid, at=NOON)


def test_a_pass_opens_all_courses_of_its_creator_those_made_later_too(viewer: Member) -> None:
    theirs, others = things.course(), things.course()
    film = things.video(theirs.creator, is_free=False)
    span: dict[str, Any] = {"starts_at": NOON, "ends_at": NOON + HOUR}

    operations.grant_pass(viewer=viewer, creator=theirs.creator, source="order:1:1", **span)
    later = things.course(theirs.creator)

    assert watchable(viewer) == {theirs, later}
    assert film not in watchable(viewer)
    assert watchable(viewer, NOON + HOUR) == watchable(make.member()) == set()
    operations.grant_pass(viewer=viewer, creator=None, source="order:2:2", **span)
    assert watchable(viewer) == {theirs, later, others}
    paid = things.lessons_of(others)[1]
    assert operations.play_lesson(viewer=viewer, lesson=paid, at=NOON) == paid


def test_what_a_pass_opened_closes_with_it(viewer: Member) -> None:
    course = things.course()
    for source in ("1", "2"):
        operations.grant_pass(
            viewer=viewer, creator=course.creator, source=source, starts_at=NOON, ends_at=NOON + 2 * HOUR
        )

    assert operations.move_ends({(viewer.pk, "1"): NOON + 3 * HOUR}) == 1
    assert operations.revoke_source(viewer=viewer, source="2", at=NOON) == 1

    assert watchable(viewer, NOON + 2 * HOUR) == {course}
    assert operations.move_ends({(viewer.pk, "1"): NOON + HOUR}) == 1
    assert watchable(viewer, NOON + HOUR) == set()
