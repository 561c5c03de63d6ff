"""Who closes personalisation sees what everybody sees; who begins anew is known by nothing they did before."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from billing import operations as billing
from catalog.models import Item
from creators.models import Creator, Follow
from creators.operations import hide_creator
from kpplatform.tenancy.models import Member, Tenant
from recommender import operations
from recommender.models import Experiment, Exposure, Impression, Portrait
from recommender.operations import Page, Session, show_page
from recommender.training import refresh_portraits
from recommender.training.questions import read as questions
from recommender.training.reading import everything
from tests import make
from tests.billing import shop
from tests.catalog import things
from tests.conftest import NOON
from tests.recommender import planted
from tests.recommender.portrayed import NOW, members, topics, watched
from tests.recommender.test_feed import page, session
from tests.recommender.test_personal_feed import share

pytestmark = pytest.mark.usefixtures("_fresh_cache")

Groups = tuple[list[Item], list[Item]]


@pytest.fixture
def groups(in_school: Tenant) -> Groups:
    """Two tastes of thirty videos each, and a model of them."""
    found = planted.videos(30), planted.videos(30)
    planted.published(planted.tastes(*found))
    return found


def pages(viewer: Member, *, at: Any, count: int = 3) -> list[Page]:
    """Return the first pages of a session, which begins now."""
    found = [show_page(viewer=viewer, limit=10, session=Session(at), at=at)]
    while len(found) < count:
        following = found[-1].following
        assert following
        found.append(show_page(viewer=viewer, limit=10, session=following, at=at))
    return found


def told(found: list[Page]) -> list[tuple[int, str]]:
    return [(place.item["id"], place.source) for page in found for place in page.shown]


def test_two_viewers_with_different_histories_see_the_same(groups: Groups) -> None:
    pianist, cook = make.member(), make.member()
    for viewer, group in zip((pianist, cook), groups, strict=True):
        for item in group[:5]:
            planted.watch(viewer, item)
        Follow.objects.create(viewer=viewer, creator=group[9].creator, followed_at=timezone.now())
        pages(viewer, at=timezone.now() - timedelta(hours=2), count=1)
    Impression.objects.all().delete()
    arms = [{"name": "a", "share": 0.5, "settings": {}}, {"name": "b", "share": 0.5, "settings": {"explored": 1.0}}]
    at = timezone.now()
    Experiment.objects.create(name="x", arms=arms, state="running", metric="likes", created_at=at, started_at=at)
    operations.close_personalisation(viewer=pianist, at=at)
    operations.close_personalisation(viewer=cook, at=at)

    first, second = (pages(viewer, at=at) for viewer in (pianist, cook))

    assert told(first) == told(second)
    items = [item for item, _ in told(first)]
    assert len(set(items)) == len(items) == 30, "No repeats within a session."
    assert {source for _, source in told(first)} <= {"popular", "fresh", "explored"}
    written = [
        list(Impression.objects.filter(viewer=viewer).order_by("position").values_list("item", "propensity", "version"))
        for viewer in (pianist, cook)
    ]
    assert written[0] == written[1]
    assert {version for _, _, version in written[0]} == {None}
    assert not Exposure.objects.exists()


def test_closing_is_one_call_and_opening_brings_the_taste_back(
    client: APIClient, viewer: Member, groups: Groups
) -> None:
    piano, _ = groups
    for item in piano[:3]:
        planted.watch(viewer, item)
    assert client.get("/api/v1/personalisation/").json() == {"is_on": True, "refused_at": None}

    for _ in range(2):
        assert client.delete("/api/v1/personalisation/").status_code == 204

    assert client.get("/api/v1/personalisation/").json()["is_on"] is False
    assert {card["source"] for card in page(client)["results"]} <= {"popular", "fresh", "explored"}
    assert client.put("/api/v1/personalisation/").status_code == 204
    assert share([card["id"] for card in page(client, limit=10)["results"]], piano) > 0.5


def test_what_was_said_to_be_unwanted_stays_away(client: APIClient, viewer: Member, groups: Groups) -> None:
    piano, cooking = groups
    planted.react(viewer, piano[0], "not_interested")
    hide_creator(viewer=viewer, creator=piano[1].creator, at=timezone.now())
    client.post(f"/api/v1/items/{piano[2].pk}/report/", {"reason": "spam"}, "json")

    client.delete("/api/v1/personalisation/")

    assert sorted(session(client, limit=20)) == [item.pk for item in [*piano[3:], *cooking]]


def test_the_price_is_the_same_for_everybody(in_school: Tenant, client: APIClient, viewer: Member) -> None:
    maker = things.creator(make.member(Member.Role.CREATOR))
    course = things.course(maker)
    billing.set_price(item=course, by=maker.member, amount=shop.yuan(9_900), at=NOON)
    other = make.member()
    for item in planted.videos(5):
        planted.watch(other, item)
    client.delete("/api/v1/personalisation/")

    prices = [of.get("/api/v1/prices/").json() for of in (client, make.client(other))]
    orders = [shop.bought(buyer, course) for buyer in (viewer, other)]

    assert prices[0] == prices[1]
    assert [order.amount for order in orders] == [9_900] * 2


def test_who_closes_it_is_not_learned_from_drawn_or_counted(client: APIClient, viewer: Member) -> None:
    items = topics("piano")["piano"]
    maker = Creator.objects.create(member=make.member(Member.Role.CREATOR), handle="maker", name="Maker")
    Item.objects.filter(pk=items[0].pk).update(creator=maker)
    for member in [viewer, *members(20)]:
        watched(member, items)
    refresh_portraits(tenant=viewer.tenant, at=NOW)
    assert viewer.pk in everything(until=NOW).viewer_ids

    client.delete("/api/v1/personalisation/")

    assert not Portrait.objects.filter(viewer=viewer).exists()
    refresh_portraits(tenant=viewer.tenant, at=NOW + timedelta(minutes=1))
    assert not Portrait.objects.filter(viewer=viewer).exists()
    assert make.client(maker.member).get("/api/v1/creators/maker/audience/").json()["viewers"] == 20
    assert viewer.pk not in everything(until=NOW).viewer_ids
    _, asked, _ = questions(until=NOW)
    assert len(asked.viewer) == 100
    assert viewer.pk not in asked.viewer
    client.put("/api/v1/personalisation/")
    refresh_portraits(tenant=viewer.tenant, at=NOW + timedelta(minutes=2))
    assert Portrait.objects.filter(viewer=viewer).exists()
    assert viewer.pk in everything(until=NOW).viewer_ids


def test_who_begins_anew_is_served_by_nothing_done_before(client: APIClient, viewer: Member, groups: Groups) -> None:
    piano, cooking = groups
    before = timezone.now() - timedelta(hours=1)
    for item in piano[:5]:
        planted.watch(viewer, item, at=before)
    assert client.get("/api/v1/taste/").json() == {"reset_at": None}

    assert client.delete("/api/v1/taste/").status_code == 204

    cards = page(client)["results"]
    assert "model" not in {card["source"] for card in cards}
    assert not {card["id"] for card in cards} & {item.pk for item in piano[:5]}, "It has been seen all the same."
    assert client.get("/api/v1/taste/").json()["reset_at"]
    planted.watch(viewer, cooking[0])
    assert share([card["id"] for card in page(client, limit=10)["results"]], cooking) > 0.5


def test_nothing_done_before_is_learned_from_or_drawn(client: APIClient, viewer: Member) -> None:
    items = topics("piano", "cooking")
    watched(viewer, items["piano"], days_ago=5)
    watched(viewer, items["cooking"][:2], days_ago=1)
    refresh_portraits(tenant=viewer.tenant, at=NOW)

    operations.reset_taste(viewer=viewer, at=NOW - timedelta(days=2))

    assert not Portrait.objects.exists()
    learned = everything(until=NOW)
    assert set(learned.item_ids[np.unique(learned.item)].tolist()) == {item.pk for item in items["cooking"][:2]}
    refresh_portraits(tenant=viewer.tenant, at=NOW)
    assert set(dict(Portrait.objects.get().interests)) == {"topic:cooking", "tag:cooking-tag"}


def test_what_was_shown_before_beginning_anew_was_not_passed_over(viewer: Member, groups: Groups) -> None:
    (seen, passed, later, *_), _ = groups
    at = timezone.now() - timedelta(hours=5)
    for position, item in enumerate((seen, passed, later)):
        facts = {"page": UUID(int=1), "position": position, "propensity": 1.0, "source": "popular"}
        Impression.objects.create(viewer=viewer, item=item, shown_at=at, **facts)
    planted.watch(viewer, seen, at=at + timedelta(minutes=1))
    planted.watch(viewer, later, at=at + timedelta(hours=2))
    _, _, rows = questions(until=timezone.now())
    assert (rows == -1).sum() == 1, "One is passed over, and two are watched."

    operations.reset_taste(viewer=viewer, at=at + timedelta(hours=1))

    _, asked, rows = questions(until=timezone.now())
    assert (len(asked.viewer), (rows == -1).sum()) == (1, 0)
