"""How good a video is: each part by numbers that one can check in the head, and what is not known counts nowhere."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from rest_framework.test import APIClient

from catalog import operations as catalog
from catalog.models import Item, Ruling
from creators.models import Creator
from kpplatform.jobs.models import Job
from kpplatform.metrics.queries.quality import WEIGHTS, Quality, qualities, quality
from kpplatform.tenancy.models import Member, Tenant
from recommender.models import AlikePair
from recommender.queries.duplicates import FIND
from tests import make
from tests.catalog import things
from tests.kpplatform.test_studio import opened, part
from tests.metrics.figured import figure

pytestmark = pytest.mark.usefixtures("_fresh_cache")

VIDEOS = "/api/v1/videos/"
GOOD: dict[str, Any] = {
    "title": "Piano scales in five minutes",
    "description": "Five scales, slowly and then faster.",
    "tags": list("abc"),
}


@pytest.fixture
def maker(in_school: Tenant) -> Creator:
    return things.creator(make.member(Member.Role.CREATOR))


@pytest.fixture
def client(maker: Creator) -> APIClient:
    assert maker.member
    return make.client(maker.member)


def draft(maker: Creator, **said: Any) -> Item:
    return things.video(maker, published_at=None, **GOOD | said)


def shares(of: Quality) -> dict[str, float | None]:
    return {part.name: None if part.share is None else round(part.share, 3) for part in of.parts}


def now_of(item: Item, **changed: Any) -> dict[str, float | None]:
    Item.objects.filter(pk=item.pk).update(**changed)
    found = Item.objects.select_related("topic", "creator").get(pk=item.pk)
    return shares(quality(found, at=timezone.now()))


def test_what_is_not_known_counts_nowhere(maker: Creator) -> None:
    video = draft(maker, topic=things.topic())

    found = quality(video, at=timezone.now())

    assert shares(found) == {
        "title": 1.0,
        "description": 1.0,
        "tags": 1.0,
        **dict.fromkeys(("captions", "picture", "loudness", "originality", "length", "completion")),
    }
    assert (found.score, found.known) == (100, 0.3)
    assert sum(WEIGHTS.values()) == 100


def test_each_part_by_its_rule(maker: Creator) -> None:
    video = draft(maker, topic=things.topic())

    assert now_of(video, title="Scales and chords!!")["title"] == 0.0, "It names no topic, and it shouts."
    assert now_of(video, title="Scales and chords")["title"] == 0.5
    assert now_of(video, description="Fifteen wide..")["description"] == round(14 / 30, 3)
    assert now_of(video, tags=["a"])["tags"] == round(0.5 + 1 / 6, 3)
    assert now_of(video, topic=None, tags=["a", "b", "c"])["tags"] == 0.5
    assert [now_of(video, captions=of)["captions"] for of in (["zh-hans"], ["zh"], ["en"], [])] == [1, 1, 0.5, 0]
    assert now_of(video, width=1080, height=1920)["picture"] == 1.0
    assert now_of(video, width=540, height=960)["picture"] == 0.5
    assert [now_of(video, loudness=loud)["loudness"] for loud in (-14, -16, -21, -11, -30)] == [1, 1, 0.5, 0.9, 0]


def test_the_score_is_of_the_known_parts_by_their_weights(maker: Creator) -> None:
    """Title 15, description 5, tags 10, half of 15 for captions in English alone, nothing of 10: 37.5 of 55."""
    video = draft(maker, topic=things.topic(), captions=["en"], loudness=-40)

    found = quality(video, at=timezone.now())

    assert (found.score, found.known) == (round(100 * 37.5 / 55), 0.55)


def test_a_copy_is_told_at_once_by_its_title_and_at_night_by_all(maker: Creator) -> None:
    first = things.video(**GOOD)
    copy, other = draft(maker), draft(maker, title="Something else that is quite new", tags=["x", "y", "z"])
    hidden = draft(things.creator(), title="A secret of somebody who has not shown it", tags=["s"])

    assert now_of(copy)["originality"] == 0.0
    assert now_of(other)["originality"] is None
    assert now_of(first)["originality"] is None, "Whoever was there first copies nobody."
    Job.objects.create(
        name=FIND, queue="training", state=Job.State.DONE, due_at=timezone.now(), finished_at=timezone.now()
    )
    assert now_of(other)["originality"] == 1.0
    later = draft(maker, title=hidden.title, tags=["s"])
    AlikePair.objects.create(item=hidden, other=later, cosine=0.95, found_at=timezone.now())
    assert now_of(later)["originality"] is None, "What others have not shown is not told."
    AlikePair.objects.create(item=first, other=other, cosine=0.9, found_at=timezone.now())
    assert now_of(other)["originality"] == 0.1


def test_length_and_completion_beside_its_like(maker: Creator) -> None:
    """Of the topic's shorter videos 60 % go to the end, of those as long 30 %, of this one itself 24 %."""
    topic, today = things.topic(), timezone.now().date()
    video = things.video(maker, topic=topic, **GOOD)
    for place, plays, finished in ((1, 100, 60), (3, 150, 45)):
        figure("plays_by_length", plays, f"{topic.pk}:{place}", day=today)
        figure("finished_by_length", finished, f"{topic.pk}:{place}", day=today)
    figure("plays", 50, "feed", day=today, creator=maker, item=video)
    figure("finished", 12, day=today, creator=maker, item=video)

    found = now_of(video)

    assert found["length"] == 0.5
    assert found["completion"] == round(0.24 / 0.33, 3), "The others: 33 of 100."


def test_what_was_watched_under_another_topic_takes_nothing_from_its_like(maker: Creator) -> None:
    """Of its like 60 of 140 plays went to the end; its own, 90 of 100, were counted where it stood before."""
    topic, today = things.topic(), timezone.now().date()
    video = things.video(maker, topic=topic, **GOOD)
    for name, plays, own in (("plays", 140, 100), ("finished", 60, 90)):
        figure(f"{name}_by_length", plays, f"{topic.pk}:3", day=today)
        figure(name, own, "feed", day=today, creator=maker, item=video)

    assert now_of(video)["completion"] is None, "Less than none of forty: that is no share."


def test_what_staff_found_to_be_no_copy_is_none_here_either(maker: Creator) -> None:
    assert maker.member
    things.video(**GOOD)
    copy, now = things.video(maker, **GOOD), timezone.now()
    assert now_of(copy)["originality"] == 0.0
    catalog.rule_copies(items=[copy.pk], at=now)
    ruling = catalog.appeal(ruling=Ruling.objects.get(), by=maker.member, text="No.", at=now).ruling
    staff = make.member(Member.Role.STAFF)

    catalog.answer_appeal(ruling=ruling, by=staff, is_upheld=True, answer="", at=now)

    assert now_of(copy)["originality"] is None


def test_the_creator_asks_before_publishing_and_is_told_with_the_answer(client: APIClient, viewer: Member) -> None:
    about = {"width": 720, "height": 1280, "loudness": -14.5, "captions": ["en"], "language": "en"}
    made = client.post(VIDEOS, GOOD | about | {"duration_ms": 60_000}, format="json").json()

    before = client.get(f"{VIDEOS}{made['id']}/quality/", headers={"accept-language": "en"}).json()
    published = client.post(f"{VIDEOS}{made['id']}/publish/", headers={"accept-language": "en"}).json()

    assert {name: made[name] for name in about} == about
    assert published["quality"] == before
    assert {part["name"]: part["share"] for part in before["parts"]}["picture"] == pytest.approx(2 / 3)
    assert [part["todo"] for part in before["parts"] if part["name"] == "picture"] == [
        "Export it with 1080 pixels on the shorter side."
    ]
    refused = make.client(viewer).get(f"{VIDEOS}{made['id']}/quality/")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_yours")


def test_a_poor_video_is_published_all_the_same(client: APIClient) -> None:
    made = client.post(VIDEOS, {"title": "a", "duration_ms": 1, "captions": []}, format="json").json()

    published = client.post(f"{VIDEOS}{made['id']}/publish/").json()

    assert (published["state"], published["quality"]["score"]) == ("published", 17)


@pytest.mark.parametrize(
    "wrong",
    [
        {"width": 720},
        {"width": 0, "height": 0},
        {"width": 20_000, "height": 20_000},
        {"width": 720, "height": "1280"},
        {"loudness": 7},
        {"loudness": "nan"},
        {"loudness": -71},
        {"captions": ["Klingon!"]},
        {"captions": "en"},
        {"captions": ["en"] * 51},
    ],
)
def test_impossible_facts_are_refused(client: APIClient, wrong: dict[str, Any]) -> None:
    answer = client.post(VIDEOS, GOOD | {"duration_ms": 60_000} | wrong, format="json")

    assert answer.status_code == 400, answer.json()


def test_half_a_size_is_none_when_it_is_changed_either(client: APIClient, maker: Creator) -> None:
    video = draft(maker, width=720, height=1280)

    answer = client.patch(f"{VIDEOS}{video.pk}/", {"width": None}, format="json")

    assert (answer.status_code, answer.json()["code"]) == (400, "half_a_size")


def test_many_cost_as_many_statements_as_one(maker: Creator) -> None:
    videos = [draft(maker, title=f"Piano scales number {number}") for number in range(10)]
    with CaptureQueriesContext(connection) as one:
        qualities(videos[:1], at=timezone.now())
    with CaptureQueriesContext(connection) as ten:
        qualities(videos, at=timezone.now())

    assert len(one) == len(ten) <= 8


def test_the_studio_shows_it_before_and_after(maker: Creator) -> None:
    video = draft(maker, captions=[])
    published = things.video(maker, **GOOD | {"title": "Piano chords in five minutes"}, width=540, height=960)

    before = part(opened(maker, "studio-videos"), "Before you publish: how good your newest videos are")
    shown = opened(maker, "studio-videos", item=published.pk)

    assert [row[1] for row in before.rows] == [str(quality(video, at=timezone.now()).score)]
    assert "Add captions" in before.rows[0][3]
    told = next(table for table in shown.parts if str(table.title).startswith("Quality"))
    assert [told.rows[4][1], told.rows[5][1]] == ["7.5 / 15", "not known"]
    with translation.override("zh-hans"):
        assert "画面" in quality(published, at=timezone.now() + timedelta(days=1)).parts[4].reason


def test_the_weights_are_what_is_published(client: APIClient, maker: Creator) -> None:
    found = client.get(f"{VIDEOS}{draft(maker).pk}/quality/").json()

    assert {part["name"]: part["weight"] for part in found["parts"]} == WEIGHTS
