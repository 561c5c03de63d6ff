"""The feed: what comes, what never comes, and what is written down about it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from catalog.models import Access, Item, Pass
from catalog.queries import watchable_by
from creators.models import Follow
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from recommender.models import Impression
from recommender.queries import forget_shelves
from tests import make
from tests.catalog import things
from tests.recommender import planted

FEED = "/api/v1/feed/"
MOST_STATEMENTS = 12  # of a whole request with a session: scope, sign-in, past, page

pytestmark = pytest.mark.usefixtures("_fresh_cache")


def page(client: APIClient, **asked: Any) -> dict[str, Any]:
    answer = client.get(FEED, asked)
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def shown(client: APIClient, **asked: Any) -> list[int]:
    return [card["id"] for card in page(client, **asked)["results"]]


def session(client: APIClient, *, limit: int = 5) -> list[int]:
    """Return the items of all pages, to the end of the feed."""
    body, items = page(client, limit=limit), []
    while True:
        items += [card["id"] for card in body["results"]]
        if body["next"] is None:
            return items
        body = client.get(body["next"]).json()


def test_an_empty_tenant_has_an_empty_page(client: APIClient) -> None:
    assert page(client)["results"] == []
    assert page(client)["next"] is None


def test_a_newcomer_sees_what_others_watch(client: APIClient) -> None:
    loved, *_ = planted.videos(60)
    for _ in range(3):
        planted.watch(make.member(), loved)

    assert loved.pk in shown(client)


def test_a_session_shows_everything_once(client: APIClient) -> None:
    items = planted.videos(23)

    assert sorted(session(client)) == [item.pk for item in items]


def test_what_was_watched_never_comes_again(client: APIClient, viewer: Member) -> None:
    watched, *others = planted.videos(6)
    planted.watch(viewer, watched, share=0.01)

    assert sorted(session(client)) == [item.pk for item in others]


def test_what_is_not_wanted_never_comes_again(client: APIClient, viewer: Member) -> None:
    unwanted, *others = planted.videos(6)
    planted.react(viewer, unwanted, "not_interested")

    assert sorted(session(client)) == [item.pk for item in others]


def test_what_was_shown_comes_again_only_when_there_is_nothing_else(client: APIClient) -> None:
    items = planted.videos(15)
    before = shown(client, limit=10)

    after = page(client, limit=10)["results"]

    assert {card["id"] for card in after[:5]} == {item.pk for item in items} - set(before)
    assert [card["id"] for card in after[5:]] == before[:5]
    assert {card["source"] for card in after[5:]} == {"again"}


def test_all_that_may_be_watched_is_shown_and_nothing_else(client: APIClient, viewer: Member) -> None:
    now = timezone.now()
    past, future = now - timedelta(days=1), now + timedelta(hours=1)
    [watched] = planted.videos(1)
    for state in Item.State.values:
        for published_at in (past, future):
            things.video(state=state, published_at=published_at)
    for starts_at, ends_at, revoked_at in (
        (past, None, None),
        (past, now, None),
        (past, None, now),
        (future, None, None),
    ):
        bought = things.course()
        Access.objects.create(
            viewer=viewer, item=bought, source="x", starts_at=starts_at, ends_at=ends_at, revoked_at=revoked_at
        )
        opened = things.course()
        things.video(opened.creator, is_free=False)
        lasts = {"starts_at": starts_at, "ends_at": ends_at or future + timedelta(hours=1), "revoked_at": revoked_at}
        Pass.objects.create(viewer=viewer, creator=opened.creator, source=f"{opened.pk}", **lasts)
    planted.published(planted.tastes(list(Item.objects.all())))
    planted.watch(viewer, watched)

    watchable = set(watchable_by(viewer, at=timezone.now()).values_list("pk", flat=True))

    assert len(watchable) == 5
    assert set(session(client)) == watchable - {watched.pk}


def test_what_was_bought_is_recommended_like_anything_else(client: APIClient, viewer: Member) -> None:
    watched, bought = planted.videos(1)[0], things.course()
    Access.objects.create(viewer=viewer, item=bought, source="test", starts_at=timezone.now())
    planted.published(planted.tastes([watched, bought]))
    planted.watch(viewer, watched)

    assert shown(client) == [bought.pk]


def test_a_course_made_after_the_pass_is_shown_at_once(client: APIClient, viewer: Member) -> None:
    watched = planted.videos(1)[0]
    Pass.objects.create(viewer=viewer, source="x", starts_at=timezone.now(), ends_at=timezone.now() + timedelta(days=1))
    course = things.course()
    planted.published(planted.tastes([watched, course]))
    planted.watch(viewer, watched)

    assert shown(client) == [course.pk]


def test_what_was_withdrawn_a_moment_ago_is_not_shown(client: APIClient) -> None:
    gone, *_ = planted.videos(8)
    shown(client, limit=1)

    Item.objects.filter(pk=gone.pk).update(state=Item.State.WITHDRAWN)

    assert gone.pk not in session(client)


def test_ones_own_videos_are_not_shown(client: APIClient, viewer: Member) -> None:
    planted.videos(3, by=things.creator(viewer))
    others = planted.videos(3)

    assert sorted(session(client)) == [item.pk for item in others]


def test_one_creator_does_not_fill_the_page_while_others_have_something(client: APIClient) -> None:
    many = planted.videos(20, by=planted.creator())
    few = planted.videos(10)

    first = shown(client, limit=10)

    assert len(set(first) & {item.pk for item in many}) <= 3
    assert set(session(client)) == {item.pk for item in [*many, *few]}


def test_a_video_published_a_second_ago_reaches_somebody(in_school: Tenant) -> None:
    planted.videos(50)
    new = things.video(published_at=timezone.now() - timedelta(seconds=1))

    reached = [new.pk in shown(make.client(make.member())) for _ in range(20)]

    assert any(reached)


def test_those_who_follow_a_creator_see_what_they_publish(client: APIClient, viewer: Member) -> None:
    planted.videos(300)
    creator = planted.creator()
    [old] = planted.videos(1, by=creator, age=timedelta(days=99))
    Follow.objects.create(viewer=viewer, creator=creator, followed_at=timezone.now())

    cards = [card for _ in range(5) for card in page(client, limit=50)["results"]]

    assert (old.pk, "followed") in [(card["id"], card["source"]) for card in cards]


def test_every_place_is_written_down(client: APIClient, viewer: Member) -> None:
    planted.videos(30)

    first = page(client, limit=7)
    second = client.get(first["next"]).json()

    places = Impression.objects.order_by("position")
    assert [place.item_id for place in places] == [card["id"] for card in first["results"] + second["results"]]
    assert (
        [place.position for place in places]
        == list(range(14))
        == [card["position"] for card in first["results"] + second["results"]]
    )
    assert [str(place.page) for place in places] == [first["page"]] * 7 + [second["page"]] * 7
    assert {(place.viewer_id, place.version_id) for place in places} == {(viewer.pk, None)}
    assert all(0 < place.propensity <= 1 for place in places)


def test_a_cursor_is_for_one_viewer(client: APIClient, in_school: Tenant) -> None:
    planted.videos(30)
    following = page(client, limit=5)["next"]

    stolen = make.client(make.member()).get(following)

    assert (stolen.status_code, stolen.json()["code"]) == (400, "bad_cursor")


@pytest.mark.parametrize("cursor", ["x", "a:b:c", "WzEsMSwxLDBd:1abcde:forged", "中文", "x" * 400])
def test_a_forged_cursor_is_refused(client: APIClient, cursor: str) -> None:
    answer = client.get(FEED, {"cursor": cursor})

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")
    assert not Impression.objects.exists()


@pytest.mark.parametrize("asked", [{"limit": 0}, {"limit": 51}, {"limit": "many"}, {"cursor": "x" * 6001}, {"page": 2}])
def test_nonsense_is_refused(client: APIClient, asked: dict[str, Any]) -> None:
    answer = client.get(FEED, asked)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_a_stranger_has_no_feed(in_school: Tenant) -> None:
    assert APIClient(headers={"host": "school.localhost"}).get(FEED).status_code == 401


def test_another_tenants_videos_never_come(client: APIClient, agency: Tenant) -> None:
    ours = planted.videos(3)
    with scope(agency):
        planted.videos(3)
        forget_shelves()
        stranger = make.client(make.member())
        assert len(session(stranger)) == 3

    assert sorted(session(client)) == [item.pk for item in ours]


def test_a_page_takes_few_statements(client: APIClient, viewer: Member) -> None:
    items = planted.videos(40)
    planted.published(planted.tastes(items))
    planted.watch(viewer, items[0])
    following = page(client)["next"]

    with CaptureQueriesContext(connection) as statements:
        client.get(following)

    assert len(statements) <= MOST_STATEMENTS
