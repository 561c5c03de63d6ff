"""From draft to published and withdrawn, by whoever may."""

from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from catalog import operations, queries
from catalog.models import Item, Section
from creators.models import Creator
from kpplatform.tenancy.models import Member
from tests import make
from tests.catalog import things
from tests.conftest import NOON

HOUR = timedelta(hours=1)
VIDEOS, COURSES = "/api/v1/videos/", "/api/v1/courses/"
A_VIDEO = {"title": "Chords 和弦", "duration_ms": 30_000}


@pytest.fixture
def creator(viewer: Member) -> Member:
    things.creator(viewer, handle="mine")
    return viewer


def test_a_creator_makes_a_video_and_publishes_it(client: APIClient, creator: Member) -> None:
    things.topic("piano")

    made = client.post(VIDEOS, A_VIDEO | {"topic": "piano", "tags": ["钢琴"], "language": "zh-hans"}).json()
    before = client.get("/api/v1/items/").json()["results"]
    published = client.post(f"{VIDEOS}{made['id']}/publish/").json()
    published.pop("quality")
    after = client.get("/api/v1/items/").json()["results"]

    assert (made["state"], published["state"]) == ("draft", "published")
    assert (made["topic"], made["creator"]["handle"], made["tags"]) == ("piano", "mine", ["钢琴"])
    assert (before, after) == ([], [published])


def test_a_viewer_who_is_no_creator_publishes_nothing(client: APIClient) -> None:
    answer = client.post(VIDEOS, A_VIDEO)

    assert (answer.status_code, answer.json()["code"]) == (403, "not_a_creator")


def test_a_creator_makes_a_course_of_sections_and_lessons(client: APIClient, creator: Member) -> None:
    video = client.post(VIDEOS, A_VIDEO).json()["id"]

    course = client.post(COURSES, {"title": "Piano in a week", "is_free": False}).json()["id"]
    section = client.post(f"{COURSES}{course}/sections/", {"title": "First day"}).json()
    text = {"title": "Hello", "body": "Welcome.", "is_preview": True}
    for lesson in (text, {"title": "Scales", "video": video}):
        assert client.post(f"/api/v1/sections/{section['id']}/lessons/", lesson).status_code == 201
    client.post(f"{COURSES}{course}/publish/")

    shown = client.get(f"/api/v1/items/{course}/").json()
    (first,) = shown["sections"]
    assert (first["title"], first["position"]) == ("First day", 1)
    assert [(lesson["title"], lesson["is_preview"], lesson["duration_ms"]) for lesson in first["lessons"]] == [
        ("Hello", True, None),
        ("Scales", False, 30_000),
    ]


def test_an_empty_course_is_not_published(client: APIClient, creator: Member) -> None:
    course = client.post(COURSES, {"title": "Nothing"}).json()["id"]

    answer = client.post(f"{COURSES}{course}/publish/")

    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_publish")


def test_lessons_are_moved_changed_and_removed(client: APIClient, creator: Member) -> None:
    course = things.course(_creator(creator))
    first, second = things.lessons_of(course)

    taken = client.patch(f"/api/v1/lessons/{first.pk}/", {"position": 2})
    both = client.patch(f"/api/v1/lessons/{first.pk}/", {"video": things.video(course.creator).pk})
    foreign = client.patch(f"/api/v1/lessons/{first.pk}/", {"video": things.video().pk, "body": ""})
    moved = client.patch(f"/api/v1/lessons/{first.pk}/", {"position": 3, "title": "Last"})
    removed = client.delete(f"/api/v1/lessons/{second.pk}/")

    assert [answer.json()["code"] for answer in (taken, both, foreign)] == ["place_taken", *["not_a_lesson"] * 2]
    assert (moved.json()["position"], removed.status_code) == (3, 204)
    assert [lesson.title for lesson in things.lessons_of(course)] == ["Last"]


def test_sections_are_renamed_and_removed_with_their_lessons(client: APIClient, creator: Member) -> None:
    course = things.course(_creator(creator))
    section = Section.objects.get(course=course)

    renamed = client.patch(f"/api/v1/sections/{section.pk}/", {"title": "Monday", "position": 5})
    removed = client.delete(f"/api/v1/sections/{section.pk}/")

    assert (renamed.json()["title"], renamed.json()["position"], removed.status_code) == ("Monday", 5, 204)
    assert things.lessons_of(course) == []


def test_a_scheduled_video_is_seen_when_its_time_comes(viewer: Member) -> None:
    video = things.video(published_at=None)

    scheduled = operations.schedule(item=video, by=video.creator.member, published_at=NOON + HOUR, at=NOON)

    assert scheduled.state == Item.State.SCHEDULED
    assert list(queries.published(at=NOON)) == []
    assert list(queries.published(at=NOON + HOUR)) == [video]
    with pytest.raises(operations.WrongState):
        operations.publish(item=video, by=video.creator.member, at=NOON + HOUR)


def test_what_is_scheduled_lies_in_the_future(client: APIClient, creator: Member) -> None:
    video = client.post(VIDEOS, A_VIDEO).json()["id"]

    answer = client.post(f"{VIDEOS}{video}/schedule/", {"published_at": "2020-01-01T00:00:00Z"})

    assert (answer.status_code, answer.json()["code"]) == (400, "not_in_the_future")


@pytest.mark.parametrize(
    ("before", "verb", "after"),
    [
        ("draft", "publish", "published"),
        ("draft", "withdraw", "withdrawn"),
        ("withdrawn", "publish", "published"),
        ("published", "withdraw", "withdrawn"),
        ("published", "publish", None),
        ("withdrawn", "withdraw", None),
    ],
)
def test_an_item_moves_from_state_to_state_or_is_refused(
    client: APIClient, creator: Member, before: str, verb: str, after: str | None
) -> None:
    video = things.video(_creator(creator), state=before)

    answer = client.post(f"{VIDEOS}{video.pk}/{verb}/")

    video.refresh_from_db()
    if after is None:
        assert (answer.status_code, answer.json()["code"], video.state) == (409, "wrong_state", before)
    else:
        assert (answer.status_code, video.state) == (200, after)


def test_an_item_is_changed_by_its_creator_and_by_staff_only(client: APIClient, creator: Member) -> None:
    others = things.video()
    staff = make.client(make.member(Member.Role.STAFF))

    refused = [
        client.patch(f"{VIDEOS}{others.pk}/", {"title": "Mine now"}),
        client.post(f"{VIDEOS}{others.pk}/withdraw/"),
    ]
    allowed = staff.patch(f"{VIDEOS}{others.pk}/", {"title": "Corrected"})

    assert [answer.json()["code"] for answer in refused] == ["not_yours"] * 2
    assert allowed.json()["title"] == "Corrected"


def test_a_draft_is_not_there_for_others(client: APIClient, creator: Member) -> None:
    mine, others = things.video(_creator(creator), published_at=None), things.video(published_at=None)

    listed = client.get(VIDEOS).json()["results"]

    assert [row["id"] for row in listed] == [mine.pk]
    assert client.get(f"/api/v1/items/{mine.pk}/").status_code == 200
    assert client.get(f"/api/v1/items/{others.pk}/").status_code == 404
    assert client.patch(f"{VIDEOS}{others.pk}/", {"title": "x"}).status_code == 404


def _creator(member: Member) -> Creator:
    return Creator.objects.get(member=member)
