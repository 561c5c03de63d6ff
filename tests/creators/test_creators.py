"""Becoming a creator and being followed."""

from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from creators import operations, queries
from creators.models import Creator, Follow
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.catalog import things
from tests.concurrency import at_once
from tests.conftest import NOON

CREATORS = "/api/v1/creators/"


def test_a_viewer_becomes_a_creator(client: APIClient, viewer: Member) -> None:
    profile = {"handle": "li-na", "name": "李娜", "bio": "Piano.", "links": ["https://example.com/li"]}

    answer = client.post(CREATORS, profile)

    assert answer.status_code == 201
    assert {name: answer.json()[name] for name in profile} == profile
    viewer.refresh_from_db()
    assert viewer.role == Member.Role.CREATOR


def test_a_member_is_one_creator_and_a_handle_is_one_creators(client: APIClient, in_school: Tenant) -> None:
    things.creator(handle="taken")

    taken = client.post(CREATORS, {"handle": "taken", "name": "A"})
    first = client.post(CREATORS, {"handle": "free", "name": "A"})
    second = client.post(CREATORS, {"handle": "free-2", "name": "A"})

    assert (taken.status_code, taken.json()["code"]) == (409, "handle_taken")
    assert first.status_code == 201
    assert (second.status_code, second.json()["code"]) == (409, "already_a_creator")


def test_a_profile_is_changed_by_its_creator_and_by_staff_only(client: APIClient, viewer: Member) -> None:
    mine, others = things.creator(viewer, handle="mine"), things.creator(handle="others")
    staff = make.client(make.member(Member.Role.STAFF))

    assert client.patch(f"{CREATORS}mine/", {"bio": "New."}).json()["bio"] == "New."
    assert client.patch(f"{CREATORS}others/", {"bio": "New."}).json()["code"] == "not_yours"
    assert staff.patch(f"{CREATORS}others/", {"name": "Corrected"}).status_code == 200

    mine.refresh_from_db()
    others.refresh_from_db()
    assert (mine.bio, others.bio, others.name) == ("New.", "", "Corrected")


def test_following_twice_is_following_once(client: APIClient, in_school: Tenant) -> None:
    creator = things.creator(handle="li")

    for _ in range(2):
        assert client.put(f"{CREATORS}li/follow/").status_code == 204
    shown = client.get(f"{CREATORS}li/").json()
    for _ in range(2):
        assert client.delete(f"{CREATORS}li/follow/").status_code == 204

    assert (shown["followers"], shown["is_followed"]) == (1, True)
    creator.refresh_from_db()
    assert (creator.followers, Follow.objects.count()) == (0, 0)


def test_who_is_followed_is_listed_the_latest_first(client: APIClient, viewer: Member) -> None:
    for handle in ("first", "second"):
        client.put(f"{CREATORS}{things.creator(handle=handle).handle}/follow/")
    things.creator(handle="not-followed")

    listed = client.get("/api/v1/follows/").json()["results"]

    assert [row["creator"]["handle"] for row in listed] == ["second", "first"]


@pytest.mark.parametrize("path", [CREATORS, "/api/v1/follows/"])
def test_a_list_costs_the_same_for_one_and_for_many(client: APIClient, viewer: Member, path: str) -> None:
    def queries_for(more: int) -> int:
        for _ in range(more):
            operations.follow(viewer=viewer, creator=things.creator(), at=NOON)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(path).status_code == 200
        return len(captured)

    queries_for(1)

    assert queries_for(0) == queries_for(9)


@pytest.mark.parametrize("sent", [
    {},
    {"handle": "ok"},
    {"handle": "Not Plain", "name": "A"},
    {"handle": "-dash", "name": "A"},
    {"handle": "x" * 41, "name": "A"},
    {"handle": 5, "name": {"a": 1}},
    {"handle": "ok", "name": "A" * 101},
    {"handle": "ok", "name": "A\x00B"},
    {"handle": "ok", "name": "A", "links": ["javascript:alert(1)"]},
    {"handle": "ok", "name": "A", "links": "https://example.com"},
    {"handle": "ok", "name": "A", "followers": 1_000_000},
    {"handle": "ok", "name": "A", "verified_at": "2026-01-01T00:00:00Z"},
    ["handle"],
], ids=str)  # fmt: skip
def test_what_makes_no_sense_is_refused_and_nothing_is_written(client: APIClient, sent: object) -> None:
    answer = client.post(CREATORS, sent)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert Creator.objects.count() == 0


def test_another_tenants_creators_are_not_there(client: APIClient, agency: Tenant) -> None:
    with scope(agency):
        things.creator(handle="stranger")

    asked = [
        client.get(f"{CREATORS}stranger/"),
        client.patch(f"{CREATORS}stranger/", {"name": "x"}),
        client.put(f"{CREATORS}stranger/follow/"),
        client.delete(f"{CREATORS}stranger/follow/"),
    ]

    assert [answer.status_code for answer in asked] == [404] * 4
    assert client.get(CREATORS).json()["results"] == []


@pytest.mark.django_db(databases=["default", "owner"], transaction=True)
def test_double_clicks_of_many_viewers_are_counted_once_each(school: Tenant) -> None:
    with scope(school):
        creator, viewers = things.creator(), [make.member() for _ in range(4)]

    clicks = [partial(operations.follow, viewer=viewer, creator=creator, at=NOON) for viewer in viewers * 2]
    second_thoughts = [partial(operations.unfollow, viewer=viewers[0], creator=creator)] * 3

    followed, unfollowed = at_once(school, clicks), at_once(school, second_thoughts)

    assert (sorted(followed), sorted(unfollowed)) == ([False] * 4 + [True] * 4, [False, False, True])
    with scope(school):
        creator.refresh_from_db()
        assert (creator.followers, Follow.objects.count()) == (3, 3)


def test_recounting_mends_a_wrong_counter_and_says_how_many(viewer: Member) -> None:
    right, wrong = things.creator(), things.creator()
    for creator in (right, wrong):
        operations.follow(viewer=viewer, creator=creator, at=NOON)
    Creator.objects.filter(pk=wrong.pk).update(followers=7)

    mended = operations.recount_followers(creators=[right.pk, wrong.pk])

    assert mended == 1
    assert [creator.followers for creator in queries.creators()] == [1, 1]
