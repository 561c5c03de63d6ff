"""What viewers hide, report, want and do not want is followed by the very next page, and by the next portrait."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from catalog.models import Item, Report
from creators.models import Creator, Follow
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from recommender import operations
from recommender.models import InterestChoice
from recommender.queries import past
from recommender.queries.past import SQL
from recommender.training import refresh_portraits
from tests import make
from tests.concurrency import at_once
from tests.conftest import COMMITTED
from tests.recommender import planted
from tests.recommender.portrayed import NOW, portrait, topics, watched
from tests.recommender.test_feed import page, session, shown
from tests.recommender.test_personal_feed import share

pytestmark = pytest.mark.usefixtures("_fresh_cache")

INTERESTS = "/api/v1/interests/"


def ids(items: list[Item]) -> list[int]:
    return sorted(item.pk for item in items)


def chosen(client: APIClient, **choices: list[str]) -> None:
    assert client.put(INTERESTS, choices, "json").status_code == 204


def interests(client: APIClient) -> dict[str, tuple[Any, Any]]:
    told = client.get(INTERESTS).json()["results"]
    return {of["name"]: (of["share"], of["is_wanted"]) for of in told}


def test_a_hidden_creator_is_gone_from_the_next_page_and_comes_back(client: APIClient, viewer: Member) -> None:
    creator = planted.creator()
    theirs, others = planted.videos(6, by=creator), planted.videos(12)
    Follow.objects.create(viewer=viewer, creator=creator, followed_at=timezone.now())
    Creator.objects.filter(pk=creator.pk).update(followers=1)
    first = page(client, limit=5)

    for _ in range(2):
        assert client.put(f"/api/v1/creators/{creator.handle}/hidden/").status_code == 204

    rest = [card["id"] for card in client.get(first["next"]).json()["results"]]
    assert not set(rest) & set(ids(theirs))
    assert sorted(session(client)) == ids(others)
    assert Creator.objects.get(pk=creator.pk).followers == Follow.objects.count() == 0
    hidden = client.get("/api/v1/hidden-creators/").json()["results"]
    assert [of["creator"]["handle"] for of in hidden] == [creator.handle]

    assert client.delete(f"/api/v1/creators/{creator.handle}/hidden/").status_code == 204
    assert sorted(session(client)) == ids([*theirs, *others])


def test_who_is_followed_again_is_hidden_no_longer(client: APIClient) -> None:
    creator = planted.creator()
    [theirs] = planted.videos(1, by=creator)
    client.put(f"/api/v1/creators/{creator.handle}/hidden/")
    assert session(client) == []

    assert client.put(f"/api/v1/creators/{creator.handle}/follow/").status_code == 204

    assert session(client) == [theirs.pk]
    assert client.get("/api/v1/hidden-creators/").json()["results"] == []


def test_a_list_of_hidden_creators_asks_no_question_per_row(client: APIClient) -> None:
    def asked(count: int) -> int:
        for _ in range(count):
            client.put(f"/api/v1/creators/{planted.creator().handle}/hidden/")
        with CaptureQueriesContext(connection) as questions:
            assert len(client.get("/api/v1/hidden-creators/").json()["results"]) >= count
        return len(questions)

    asked(1)
    assert asked(1) == asked(5)


def test_a_reported_item_is_gone_at_once_and_its_like_is_lowered(client: APIClient, viewer: Member) -> None:
    piano, cooking = planted.videos(40), planted.videos(40)
    planted.published(planted.tastes(piano, cooking))
    for item in (piano[0], cooking[0]):
        planted.watch(viewer, item)

    for item in piano[1:4]:
        for _ in range(2):
            said = {"reason": "harmful", "text": "Look."}
            assert client.post(f"/api/v1/items/{item.pk}/report/", said, "json").status_code == 204

    cards = page(client)["results"]
    assert share([card["id"] for card in cards if card["source"] == "model"], cooking) == 1
    assert not {card["id"] for card in cards} & {item.pk for item in piano[1:4]}
    assert Report.objects.filter(viewer=viewer, reason="harmful", text="Look.").count() == 3
    told = client.get("/api/v1/reports/").json()["results"]
    assert [report["item"] for report in told] == [item.pk for item in reversed(piano[1:4])]
    assert make.client(make.member()).get("/api/v1/reports/").json()["results"] == []


def test_a_reported_item_stays_away_when_the_not_interested_is_taken_back(client: APIClient) -> None:
    reported, other = planted.videos(2)
    client.post(f"/api/v1/items/{reported.pk}/report/", {"reason": "spam"}, "json")

    assert client.delete(f"/api/v1/items/{reported.pk}/reactions/not_interested/").status_code == 204

    assert session(client) == [other.pk]


def test_a_report_needs_a_reason_that_there_is(client: APIClient) -> None:
    [item] = planted.videos(1)

    refused = client.post(f"/api/v1/items/{item.pk}/report/", {"reason": "dull"}, "json")

    assert refused.status_code == 400
    assert shown(client) == [item.pk]


@pytest.mark.parametrize("unwanted", ["topic:piano", "tag:piano-tag"])
def test_an_unwanted_interest_is_gone_from_the_next_page(client: APIClient, viewer: Member, unwanted: str) -> None:
    items = topics("piano", "cooking")

    assert client.put(f"{INTERESTS}{unwanted}/", {"is_wanted": False}, "json").status_code == 204

    assert sorted(session(client)) == ids(items["cooking"])
    assert past(viewer, started=timezone.now(), at=timezone.now()).over >= set(ids(items["piano"]))
    client.delete(f"{INTERESTS}{unwanted}/")
    assert sorted(session(client)) == ids(items["cooking"] + items["piano"])


def test_chosen_topics_are_in_the_past_that_the_page_is_made_from(client: APIClient, viewer: Member) -> None:
    items = topics("piano", "cooking", "chess")
    chosen(client, wanted=["topic:piano", "topic:chess", "tag:jazz"], unwanted=["topic:cooking"])

    told = past(viewer, started=timezone.now(), at=timezone.now())

    wanted = {Item.objects.get(pk=items[slug][0].pk).topic_id for slug in ("piano", "chess")}
    assert set(told.chosen) == wanted
    assert told.over == frozenset(ids(items["cooking"]))


def test_interests_are_seen_added_disabled_and_chosen_anew(
    in_school: Tenant, client: APIClient, viewer: Member
) -> None:
    items = topics("piano", "cooking")
    watched(viewer, items["piano"])
    assert interests(client) == {}
    refresh_portraits(tenant=in_school, at=NOW)
    assert set(interests(client)) == {"topic:piano", "tag:piano-tag"}

    client.put(f"{INTERESTS}topic:piano/", {"is_wanted": False}, "json")
    client.put(f"{INTERESTS}topic:cooking/", {"is_wanted": True}, "json")

    assert interests(client) == {
        "tag:piano-tag": (pytest.approx(0.5, abs=0.01), None),
        "topic:cooking": (None, True),
        "topic:piano": (None, False),
    }
    assert "topic:piano" not in dict(portrait(viewer).interests), "It is gone before the next refresh."
    chosen(client, wanted=["tag:爵士"])
    assert {name for name, (_, said) in interests(client).items() if said} == {"tag:爵士"}
    assert make.client(make.member()).get(INTERESTS).json() == {"results": []}


@pytest.mark.parametrize("name", ["topic:nothing", "piano", "tag:", "tag: ", "tag:" + "x" * 41, "topic:"])
def test_what_is_no_interest_is_refused(client: APIClient, name: str) -> None:
    answers = [
        client.put(INTERESTS, {"wanted": [name]}, "json"),
        client.put(f"{INTERESTS}{name}/", {"is_wanted": True}, "json"),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "unknown_interest")] * 2
    assert not InterestChoice.objects.exists()


def test_no_more_than_some_hundred_interests_are_heard(client: APIClient) -> None:
    names = [f"tag:{number}" for number in range(200)]
    chosen(client, unwanted=names)

    one_more = client.put(f"{INTERESTS}tag:more/", {"is_wanted": True}, "json")
    too_many = client.put(INTERESTS, {"wanted": names, "unwanted": ["tag:more"]}, "json")

    assert [answer.json()["code"] for answer in (one_more, too_many)] == ["too_many_interests"] * 2
    assert InterestChoice.objects.count() == 200


@COMMITTED
def test_one_interest_and_all_of_them_can_be_chosen_at_the_same_moment(school: Tenant) -> None:
    with scope(school):
        viewer = make.member()

    told = at_once(
        school,
        [partial(operations.choose_interest, viewer=viewer, name="tag:jazz", is_wanted=True, at=NOW)] * 6
        + [partial(operations.choose_interests, viewer=viewer, choices={"tag:jazz": True}, at=NOW)] * 6,
    )

    assert told == [None] * 12
    with scope(school):
        assert InterestChoice.objects.get().name == "tag:jazz"


def test_a_refreshed_portrait_says_what_the_viewer_says(in_school: Tenant, client: APIClient, viewer: Member) -> None:
    items = topics("piano", "cooking", "chess")
    watched(viewer, [*items["piano"], *items["cooking"][:1]])
    chosen(client, wanted=["topic:chess"], unwanted=["topic:piano", "tag:nowhere"])

    refresh_portraits(tenant=in_school, at=NOW)

    told = dict(portrait(viewer).interests)
    # A watch to the end is worth 4 and a chosen interest 3; a day takes 2 % of a watch.
    assert "topic:piano" not in told
    assert told["topic:chess"] / told["topic:cooking"] == pytest.approx(3 / 4, abs=0.03)
    assert "piano" not in dict(portrait(viewer).next_topics)
    assert client.get(f"/api/v1/items/{items['piano'][0].pk}/fit/").json()["terms"] == [
        ["tag:piano-tag", pytest.approx(told["tag:piano-tag"], abs=1e-4)]
    ]


def test_what_a_viewer_chose_is_theirs_alone(in_school: Tenant, client: APIClient) -> None:
    items = topics("piano", "cooking")
    other = make.member()
    watched(other, items["piano"])
    chosen(client, unwanted=["topic:piano"])

    refresh_portraits(tenant=in_school, at=NOW + timedelta(days=1))

    assert dict(portrait(other).interests)["topic:piano"] == pytest.approx(0.5, abs=0.01)
    assert len(session(make.client(make.member()))) == 10


def test_a_newcomers_first_page_is_of_the_chosen_topics(client: APIClient, viewer: Member) -> None:
    items = topics("piano", "cooking", "chess", "history")
    loved = planted.videos(20)
    for item in Item.objects.all():  # as the same words would make them one and the same
        Item.objects.filter(pk=item.pk).update(title=" ".join(uuid4().hex for _ in range(4)))
    for _ in range(3):
        planted.watch(make.member(), loved[0])
    planted.published(planted.tastes(*items.values(), loved))

    chosen(client, wanted=["topic:piano", "topic:chess"])

    cards = page(client, limit=10)["results"]
    of_topics = [card for card in cards if card["source"] == "interests"]
    assert len(of_topics) >= 5
    assert {card["topic"] for card in of_topics} == {"piano", "chess"}


def test_who_wants_everything_costs_no_look_through_the_catalogue(client: APIClient, viewer: Member) -> None:
    topics("piano")
    asked = {"tenant": viewer.tenant_id, "viewer": viewer.pk, "started": NOW, "since": NOW, "at": NOW}

    def scanned() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) {SQL}", asked)
            plan = [line for (line,) in cursor.fetchall()]
        scans = [line for line in plan if "catalog_item" in line and "Scan" in line]
        return any("never executed" not in scan for scan in scans)

    assert not scanned()
    chosen(client, unwanted=["topic:piano"])
    assert scanned()
