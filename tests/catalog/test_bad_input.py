"""What makes no sense is refused with a code, and nothing is written. What is another tenant's is not there."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from catalog import operations
from catalog.models import Comment, Item, Lesson, Section, Topic
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.catalog import things

API = "/api/v1/"
VIDEO: dict[str, Any] = {"title": "Chords", "duration_ms": 30_000}
SECTION: dict[str, Any] = {"title": "First day"}
LESSON: dict[str, Any] = {"title": "Hello", "body": "Welcome."}
TOPIC: dict[str, Any] = {"slug": "new", "name_zh": "新", "name_en": "New"}


@pytest.fixture
def staff(in_school: Tenant) -> APIClient:
    member = make.member(Member.Role.STAFF)
    things.creator(member)
    return make.client(member)


def counts() -> list[int]:
    return [model.objects.count() for model in (Item, Section, Lesson, Topic, Comment)]


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("videos/", []),
        ("videos/", "video"),
        *(("videos/", VIDEO | {name: None}) for name in VIDEO),
        *(("videos/", {name: VIDEO[name]}) for name in VIDEO),
        *(("videos/", VIDEO | {"title": value}) for value in ("", "  ", 5, "x" * 201, "a\x00b", ["A"])),
        *(("videos/", VIDEO | {"duration_ms": value}) for value in (0, -1, 900_001, 10**30, "30000", 1.5, True)),
        *(("videos/", VIDEO | {"tags": value}) for value in ("piano", [""], ["x" * 41], ["a"] * 21, [{"a": 1}])),
        *(("videos/", VIDEO | {"language": value}) for value in ("", "english please", "EN", 5)),
        *(("videos/", VIDEO | {"topic": value}) for value in ("unknown", "not a slug", 5, "")),
        *(("videos/", VIDEO | {"is_free": value}) for value in ("true", 1, None)),
        *(("videos/", VIDEO | {name: 1}) for name in ("likes", "state", "creator", "published_at", "id", "kind")),
        ("courses/", VIDEO),
        *(("courses/{course}/sections/", SECTION | {"position": value}) for value in (0, -1, 10_000, "first", None)),
        ("courses/{course}/sections/", {}),
        *(("sections/{section}/lessons/", LESSON | {"position": value}) for value in (0, 10**30, "first")),
        *(("sections/{section}/lessons/", LESSON | {"video": value}) for value in (0, -1, 10**12, 10**30, "a", [1])),
        ("sections/{section}/lessons/", LESSON | {"body": "x" * 100_001}),
        ("sections/{section}/lessons/", {"title": "Neither a video nor a text"}),
        *(("videos/{video}/schedule/", {"published_at": value}) for value in (None, "soon", 5, "2026-13-01T00:00:00Z")),
        ("videos/{video}/schedule/", {}),
        *(("items/{video}/comments/", {"body": value}) for value in (None, "", "x" * 2_001, 5.5 * 10**300, ["a"])),
        *(("items/{video}/comments/", {"body": "Hm.", "parent": value}) for value in (0, -1, "first", 10**30)),
        *(("topics/", TOPIC | {"slug": value}) for value in ("", "a b", "x" * 61, "音乐", None)),
        ("topics/", TOPIC | {"parent": "unknown"}),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_written(staff: APIClient, path: str, sent: object) -> None:
    course = things.course()
    video, section = things.video(published_at=None), Section.objects.get(course=course)
    before = counts()

    answer = staff.post(API + path.format(course=course.pk, section=section.pk, video=video.pk), sent)

    assert 400 <= answer.status_code < 500, answer.content
    assert answer.json()["code"] in {"invalid", "not_a_lesson", "no_such_parent"}
    assert counts() == before


def test_malformed_json_is_refused_with_its_place(staff: APIClient) -> None:
    answer = staff.post(f"{API}videos/", b'{"title": ', content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")


@pytest.mark.parametrize("number", ["0", "999999", "99999999999999999999999"])
@pytest.mark.parametrize("path", ["items/{}/", "videos/{}/", "courses/{}/", "lessons/{}/", "items/{}/comments/"])
def test_an_id_of_nothing_is_not_there(staff: APIClient, path: str, number: str) -> None:
    answer = staff.get(API + path.format(number))

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_everything_of_another_tenant_is_not_there(staff: APIClient, agency: Tenant) -> None:
    with scope(agency):
        video, course = things.video(topic=things.topic("theirs")), things.course()
        section = Section.objects.get(course=course)
        lesson = things.lessons_of(course)[0]
        said = operations.comment(
            viewer=make.member(), item=video, body="Hm.", parent_id=None, at=timezone.now() - timedelta(days=1)
        )
        before = counts()

    asked = [
        *(staff.get(f"{API}{kind}/{pk}/") for kind, pk in (("items", video.pk), ("lessons", lesson.pk))),
        *(staff.patch(f"{API}{kind}/{pk}/", {"title": "x"}) for kind, pk in (
            ("videos", video.pk), ("courses", course.pk), ("sections", section.pk), ("lessons", lesson.pk)
        )),
        *(staff.post(f"{API}videos/{video.pk}/{verb}/") for verb in ("publish", "withdraw")),
        staff.post(f"{API}videos/{video.pk}/schedule/", {"published_at": "2031-01-01T00:00:00Z"}),
        staff.post(f"{API}courses/{course.pk}/sections/", SECTION),
        staff.post(f"{API}sections/{section.pk}/lessons/", LESSON),
        *(staff.delete(f"{API}{kind}/{pk}/") for kind, pk in (("sections", section.pk), ("lessons", lesson.pk))),
        staff.put(f"{API}items/{video.pk}/reactions/like/"),
        staff.delete(f"{API}items/{video.pk}/reactions/like/"),
        staff.get(f"{API}items/{video.pk}/comments/"),
        staff.post(f"{API}items/{video.pk}/comments/", {"body": "Hm."}),
        staff.delete(f"{API}comments/{said.pk}/"),
        staff.get(f"{API}topics/theirs/"),
        staff.patch(f"{API}topics/theirs/", {"name_en": "Ours"}),
    ]  # fmt: skip

    assert [answer.status_code for answer in asked] == [404] * len(asked)
    with scope(agency):
        assert counts() == before


def test_a_course_cannot_take_another_tenants_video_or_topic(staff: APIClient, agency: Tenant) -> None:
    with scope(agency):
        foreign = things.video(topic=things.topic("theirs"))
    section = Section.objects.get(course=things.course())

    lesson = staff.post(f"{API}sections/{section.pk}/lessons/", {"title": "Theirs", "video": foreign.pk})
    video = staff.post(f"{API}videos/", VIDEO | {"topic": "theirs"})

    assert (lesson.status_code, list(lesson.json()["fields"])) == (400, ["video"])
    assert (video.status_code, list(video.json()["fields"])) == (400, ["topic"])


def test_topics_are_the_staffs(client: APIClient, staff: APIClient) -> None:
    refused = client.post(f"{API}topics/", TOPIC)
    made = staff.post(f"{API}topics/", TOPIC)
    again = staff.post(f"{API}topics/", TOPIC)
    renamed = staff.patch(f"{API}topics/new/", {"name_en": "Newer"})

    assert (refused.status_code, refused.json()["code"]) == (403, "not_yours")
    assert (made.status_code, again.json()["code"], renamed.json()["name_en"]) == (201, "slug_taken", "Newer")
    assert [topic["slug"] for topic in client.get(f"{API}topics/").json()["results"]] == ["new"]
