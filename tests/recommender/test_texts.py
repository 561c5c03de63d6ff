"""Topics are suggested and accepted, comments tagged and shown as highlights, spans marked by people and compared."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from catalog import operations as catalog
from catalog.models import Item, Topic
from creators.models import Creator
from kpplatform.errors import Conflict
from kpplatform.jobs.models import Job
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.places import tenant_folder
from kpplatform.tenancy.scope import scope
from recommender import operations, queries, training
from recommender.models import CommentSignal, SpanLabel, TextRun, TopicSuggestion
from recommender.training import classifying
from tests import make
from tests.catalog import things
from tests.conftest import NOON
from tests.recommender.commented import said
from tests.recommender.ml.tagger.planted import fitted

WORDS = {"piano": "scales chords pedal keys", "cooking": "onion pan oven salt"}


@pytest.fixture
def maker(in_school: Tenant) -> Creator:
    return things.creator(make.member(Member.Role.CREATOR))


@pytest.fixture
def staff(in_school: Tenant) -> Member:
    return make.member(Member.Role.ADMIN)


def shelf(maker: Creator, *, each: int) -> dict[str, Topic]:
    """Fill two topics with items whose titles say what they are about."""
    topics = {slug: things.topic(slug) for slug in WORDS}
    for slug, words in WORDS.items():
        said = words.split()
        for number in range(each):
            title = f"{said[number % 4]} {said[(number + 1) % 4]} part {number}"
            things.video(maker, topic=topics[slug], title=title)
    return topics


def newest_run() -> TextRun:
    found = queries.text_runs().first()
    assert found is not None
    return found


def suggested(school: Tenant, maker: Creator) -> tuple[Item, dict[str, Topic]]:
    """Return an item about scales that has a suggestion, and the topics."""
    with scope(school):
        topics = shelf(maker, each=40)
        item = things.video(maker, title="scales keys part 100")
    training.classify_topics(tenant=school, at=NOON)
    return item, topics


def test_an_item_without_a_topic_is_suggested_one_and_stays_as_it_is(school: Tenant, maker: Creator) -> None:
    item, topics = suggested(school, maker)

    (suggestion,) = TopicSuggestion.objects.all()
    assert (suggestion.item, suggestion.topic) == (item, topics["piano"])
    assert 0.5 <= suggestion.confidence <= 1
    item.refresh_from_db()
    assert item.topic is None
    run = newest_run()
    assert (run.outcome, run.read, run.told) == ("told", 1, 1)
    assert len(run.metrics["epochs"]) == 10
    assert run.metrics["accuracy"] > run.metrics["commonest"]


def test_an_accepted_suggestion_is_the_items_topic_and_is_decided_once(
    school: Tenant, maker: Creator, staff: Member
) -> None:
    item, topics = suggested(school, maker)
    client = make.client(maker.member)
    path = f"/api/v1/topic-suggestions/{TopicSuggestion.objects.get().pk}/"

    accepted = client.post(f"{path}accept/")

    assert (accepted.status_code, accepted.json()["state"]) == (200, "accepted")
    item.refresh_from_db()
    assert item.topic == topics["piano"]
    assert client.post(f"{path}decline/").json()["code"] == "already_decided"


def test_what_a_creator_said_meanwhile_is_not_written_over(school: Tenant, maker: Creator, staff: Member) -> None:
    item, topics = suggested(school, maker)
    catalog.revise_item(item=item, by=maker.member, topic=topics["cooking"])

    with pytest.raises(Conflict) as refused:
        operations.accept_topic(suggestion=TopicSuggestion.objects.get(), by=staff, at=NOON)

    assert refused.value.code == "topic_is_told"
    item.refresh_from_db()
    assert item.topic == topics["cooking"]
    training.classify_topics(tenant=school, at=NOON)
    assert not TopicSuggestion.objects.exists()
    assert newest_run().outcome == "nothing_is_missing"


def test_what_was_declined_is_not_suggested_again(school: Tenant, maker: Creator, staff: Member) -> None:
    item, _ = suggested(school, maker)
    operations.decline_topic(suggestion=TopicSuggestion.objects.get(), by=staff, at=NOON)

    training.classify_topics(tenant=school, at=NOON)

    assert TopicSuggestion.objects.get(item=item).state == TopicSuggestion.State.DECLINED


def test_what_is_no_longer_suggested_cannot_be_accepted(school: Tenant, maker: Creator, staff: Member) -> None:
    suggested(school, maker)
    seen = TopicSuggestion.objects.get()
    training.classify_topics(tenant=school, at=NOON)

    for decide in (operations.accept_topic, operations.decline_topic):
        with pytest.raises(Conflict) as refused:
            decide(suggestion=seen, by=staff, at=NOON)
        assert refused.value.code == "suggestion_is_gone"


def test_creators_see_what_is_suggested_for_their_own_items(school: Tenant, maker: Creator, client: APIClient) -> None:
    item, _ = suggested(school, maker)
    path = "/api/v1/topic-suggestions/"
    (own,) = make.client(maker.member).get(path).json()["results"]

    assert (own["item"], own["topic"], own["title"]) == (item.pk, "piano", item.title)
    assert client.get(path).json()["results"] == []
    assert client.post(f"{path}{own['id']}/accept/").status_code == 404


@pytest.mark.parametrize(
    ("each", "topic_of_all", "outcome"),
    [(10, None, "too_few_items"), (30, "piano", "too_few_topics"), (4, None, "too_few_items")],
)
def test_too_little_is_refused_by_code(
    school: Tenant, maker: Creator, each: int, topic_of_all: str | None, outcome: str
) -> None:
    with scope(school):
        topics = shelf(maker, each=each)
        if topic_of_all:
            Item.objects.update(topic=topics[topic_of_all])
        things.video(maker)

    training.classify_topics(tenant=school, at=NOON)

    assert (newest_run().outcome, TopicSuggestion.objects.count()) == (outcome, 0)


def test_where_titles_say_nothing_nothing_is_suggested(
    school: Tenant, maker: Creator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classifying, "FEWEST_ITEMS", 10)
    with scope(school):
        topics = shelf(maker, each=10)
        Item.objects.update(title="Untitled")
        Item.objects.filter(pk__in=list(Item.objects.values_list("pk", flat=True)[:2])).update(topic=topics["piano"])
        things.video(maker, title="Untitled")

    training.classify_topics(tenant=school, at=NOON)

    assert newest_run().outcome == "no_better_than_the_commonest"


def tag(school: Tenant) -> TextRun:
    with scope(school):
        folder = tenant_folder("tagger")
        folder.parent.mkdir(parents=True, exist_ok=True)
        fitted()[0].save(folder)
    training.tag_comments(tenant=school, at=NOON)
    return newest_run()


@pytest.fixture
def _storage(settings: Any, tmp_path: Path) -> None:
    settings.STORAGE_DIR = tmp_path


@pytest.mark.usefixtures("_storage")
def test_comments_become_highlights_and_deleted_words_are_gone(
    school: Tenant, maker: Creator, client: APIClient
) -> None:
    item = things.video(maker)
    first, *_, last = said(item, "讲得很清楚。", "我觉得讲得很清楚，谢谢", "I think bad sound!", "第三节很难")

    run = tag(school)
    told = client.get(f"/api/v1/items/{item.pk}/highlights/").json()

    assert (run.outcome, run.read, run.told) == ("told", 4, 4)
    assert told["comments"] == 4
    assert (told["positive"][0]["text"], told["positive"][0]["comments"]) == ("讲得很清楚", 2)
    assert {of["text"] for of in told["negative"]} == {"bad sound", "很难"}
    assert -0.2 < told["sentiment"] < 0.2
    assert "sound" in told["keywords"]
    catalog.delete_comment(comment=last, by=last.viewer, at=NOON)
    told = client.get(f"/api/v1/items/{item.pk}/highlights/").json()
    assert [of["text"] for of in told["negative"]] == ["bad sound"]
    assert CommentSignal.objects.get(comment=first).spans[0][:3] == [0, 5, "Positive"]
    assert client.post("/api/v1/muted-words/", {"word": "Sound"}, "json").status_code == 201
    told = client.get(f"/api/v1/items/{item.pk}/highlights/").json()
    assert (told["comments"], told["negative"]) == (2, [])
    others = make.client(make.member()).get(f"/api/v1/items/{item.pk}/highlights/").json()
    assert others["comments"] == 3


@pytest.mark.usefixtures("_storage")
def test_what_a_tagger_has_read_it_does_not_read_again(school: Tenant, maker: Creator) -> None:
    item = things.video(maker)
    said(item, "讲得很清楚。")
    tag(school)

    training.tag_comments(tenant=school, at=NOON)
    assert newest_run().outcome == "nothing_new"
    said(item, "很难。")
    training.tag_comments(tenant=school, at=NOON)

    assert (newest_run().read, CommentSignal.objects.count()) == (1, 2)


@pytest.mark.usefixtures("_storage")
def test_without_a_tagger_it_says_so_and_does_nothing(school: Tenant, maker: Creator) -> None:
    said(things.video(maker), "讲得很清楚。")

    training.tag_comments(tenant=school, at=NOON)
    assert (newest_run().outcome, CommentSignal.objects.count()) == ("no_tagger", 0)
    tenant_folder("tagger").mkdir(parents=True)
    training.tag_comments(tenant=school, at=NOON)

    assert newest_run().outcome == "broken_tagger"


@pytest.mark.usefixtures("_storage")
def test_the_installations_tagger_serves_who_has_none_of_their_own(
    school: Tenant, maker: Creator, agency: Tenant, tmp_path: Path
) -> None:
    fitted()[0].save(tmp_path / "tagger")
    said(things.video(maker), "讲得很清楚。")

    for tenant in (school, agency):
        training.tag_comments(tenant=tenant, at=NOON)

    with scope(school):
        assert (newest_run().outcome, newest_run().read) == ("told", 1)
    with scope(agency):
        assert (newest_run().outcome, CommentSignal.objects.count()) == ("nothing_new", 0)


def test_an_item_without_signals_has_no_highlights(maker: Creator, client: APIClient) -> None:
    told = client.get(f"/api/v1/items/{things.video(maker).pk}/highlights/").json()

    assert told == {"comments": 0, "sentiment": None, "positive": [], "negative": [], "keywords": []}
    draft = things.video(maker, published_at=None)
    assert client.get(f"/api/v1/items/{draft.pk}/highlights/").status_code == 404


def test_staff_ask_for_a_pass_and_others_may_not(staff: Member, client: APIClient) -> None:
    asked = make.client(staff)

    assert asked.post("/api/v1/text-runs/", {"kind": "topics"}).status_code == 202
    assert asked.post("/api/v1/text-runs/", {"kind": "topics"}).json() == {"job": None}
    assert Job.objects.get(name="recommender.tasks.classify_topics").queue == "training"
    assert client.post("/api/v1/text-runs/", {"kind": "comments"}).status_code == 403
    assert asked.post("/api/v1/text-runs/", {"kind": "poems"}).status_code == 400


@pytest.mark.parametrize("path", ["topic-suggestions", "text-runs", "span-labels"])
def test_lists_ask_the_database_equally_often_for_one_row_and_for_many(
    path: str, maker: Creator, staff: Member
) -> None:
    client, counts = make.client(staff), []
    client.get(f"/api/v1/{path}/")  # what is remembered of the host and the member is asked once
    for _ in range(2):
        for number in range(3):
            item = things.video(maker)
            topic = Topic.objects.get_or_create(slug="piano")[0]
            TopicSuggestion.objects.create(item=item, topic=topic, confidence=0.9, suggested_at=NOON)
            TextRun.objects.create(kind="topics", outcome=f"told {number}", began_at=NOON, ended_at=NOON)
            (comment,) = said(item, "abc")
            SpanLabel.objects.create(comment=comment, by=staff, spans=[], labelled_at=NOON)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(f"/api/v1/{path}/").status_code == 200
        counts.append(len(asked))

    assert counts[0] == counts[1]
