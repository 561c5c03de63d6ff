"""Each source of the feed offers what it promises, and the ranker puts it in order, here and now."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from catalog.models import Item, Topic
from creators.models import Follow
from kpplatform.tenancy.models import Member, Tenant
from recommender import operations, queries
from recommender.ml.feed_settings import SHARES
from recommender.models import FeedSettings
from recommender.operations import Session
from tests import make
from tests.catalog import things
from tests.recommender import planted
from tests.recommender.test_feed import page

pytestmark = pytest.mark.usefixtures("_fresh_cache")

Groups = tuple[list[Item], list[Item]]
OFF = dict.fromkeys(SHARES, 0.0) | {"method": "none", "new_topics": 0, "small_floor": 0.0, "per_topic": 1.0}


@pytest.fixture
def groups(in_school: Tenant) -> Groups:
    """Two tastes, twenty videos each."""
    return planted.videos(20), planted.videos(20)


def only(**settings: Any) -> None:
    """Leave nothing of the tenant's feed but this."""
    FeedSettings.objects.create(**(OFF | settings), changed_at=timezone.now())


def told(viewer: Member, *, size: int = 10, at: datetime | None = None, **differs: Any) -> list[tuple[str, int]]:
    """Return (source, item) of a page for a viewer whose past differs in some way."""
    at = at or timezone.now()
    past = replace(queries.past(viewer, started=at, at=at), **differs)
    draw = queries.draw(queries.shelf(at=at), past, size=size, owed=0, rng=random.Random(1))
    return [(place.source, place.offer.item) for place in draw.fill(size)]


def ids(items: list[Item]) -> set[int]:
    return {item.pk for item in items}


def test_all_models_of_a_version_recommend_by_their_weights(viewer: Member, groups: Groups) -> None:
    piano, cooking = groups
    planted.watch(viewer, piano[0])
    says_cooking = replace(planted.tastes([piano[0], *cooking], piano[1:]), name="other")
    only(personal=1, model_weights={"other": 0.9})
    planted.published(planted.tastes(*groups), says_cooking)

    both = {item for _, item in told(viewer)}
    FeedSettings.objects.update(model_weights={"other": 0})
    queries.forget_shelves()
    one = {item for _, item in told(viewer)}

    assert both & ids(piano)
    assert both & ids(cooking)
    assert one <= ids(piano)


def test_similar_is_what_is_like_the_last_liked_ones(viewer: Member, groups: Groups) -> None:
    piano, cooking = groups
    planted.published(planted.tastes(*groups))
    only(similar=1)
    for item in piano[:9]:
        planted.watch(viewer, item, at=timezone.now() - timedelta(hours=2))
    for item in cooking[:3]:
        planted.watch(viewer, item, at=timezone.now() - timedelta(hours=1))

    assert {source for source, _ in told(viewer)} == {"similar"}
    assert {item for _, item in told(viewer)} <= ids(cooking)


def test_an_item_that_no_model_knows_is_recommended_by_what_is_told_of_it(viewer: Member, groups: Groups) -> None:
    new = [things.video(planted.creator(), tags=[tag]) for tag in ("food", "music", "food")]
    model = planted.tastes(*groups)
    planted.published(model, cold=planted.cold(model, music="0", food="1"))
    planted.watch(viewer, groups[0][0])
    only(cold=1)

    assert told(viewer, size=1) == [("cold", new[1].pk)]


def test_a_newcomer_sees_what_is_popular_in_the_topics_they_chose(viewer: Member, groups: Groups) -> None:
    topic = things.topic()
    few = [things.video(planted.creator(), topic=topic) for _ in range(4)]
    planted.watch(make.member(), few[2])
    for _ in range(3):
        for item in groups[0]:
            planted.watch(make.member(), item)
    only(personal=0.58, interests=0.04)

    assert {item for _, item in told(viewer, chosen=())} <= ids(groups[0])
    first, *_ = chosen = told(viewer, size=4, chosen=(topic.pk,))
    assert first == ("interests", few[2].pk)
    assert {item for _, item in chosen} == ids(few)


def test_nothing_of_a_creator_whom_the_viewer_hid_is_shown(viewer: Member, groups: Groups) -> None:
    hidden = groups[0][0].creator_id
    Follow.objects.create(viewer=viewer, creator=groups[0][0].creator, followed_at=timezone.now())
    fresh = things.video(groups[0][0].creator, published_at=timezone.now())
    planted.published(planted.tastes(*groups))
    planted.watch(viewer, groups[0][1])

    everything = {item for _, item in told(viewer, size=60, hidden_creators=frozenset([hidden]))}

    assert everything == ids([*groups[0][2:], *groups[1]])
    assert fresh.pk in {item for _, item in told(viewer, size=60)}


def test_what_was_shown_of_them_does_not_come_again_either(viewer: Member, groups: Groups) -> None:
    at = timezone.now()
    past = queries.past(viewer, started=at, at=at)
    piano = [item.pk for item in groups[0]]
    past = replace(past, shown=tuple(piano), hidden_creators=frozenset([groups[0][0].creator_id]))

    again = queries.shown_before(queries.shelf(at=at), past, [], wanted=60)

    assert [place.offer.item for place in again] == piano[1:]


def test_who_wants_nothing_personal_gets_none(viewer: Member, groups: Groups) -> None:
    planted.published(planted.tastes(*groups))
    planted.watch(viewer, groups[0][0])
    Follow.objects.create(viewer=viewer, creator=groups[0][1].creator, followed_at=timezone.now())

    sources = {source for source, _ in told(viewer, size=30, is_personal=False, chosen=(1,))}

    assert sources <= {"popular", "fresh", "explored"}


@pytest.mark.parametrize(("hour", "expected"), [(4, [2, 3, 4, 5, 6]), (20, [20, 19, 18, 17, 16])])
def test_the_ranker_puts_candidates_in_order_by_the_hour(
    viewer: Member, groups: Groups, hour: int, expected: list[int]
) -> None:
    for minutes, item in enumerate(groups[0], start=1):
        item.duration_ms = minutes * 60_000
        item.save()
    planted.watch(viewer, groups[0][0])
    planted.published(planted.tastes(groups[0]), ranker=planted.ranker(groups[0]))
    only(personal=1)
    at = datetime.combine(timezone.now().date() + timedelta(days=1), datetime.min.time(), UTC)

    shown = operations.show_page(viewer=viewer, limit=5, session=Session(at), at=at + timedelta(hours=hour)).shown

    assert [place.item["duration_ms"] // 60_000 for place in shown] == expected


def test_the_ranker_puts_candidates_in_order_by_the_device_through_the_whole_session(
    client: APIClient, viewer: Member, groups: Groups
) -> None:
    for minutes, item in enumerate(groups[0], start=1):
        item.duration_ms = minutes * 60_000
        item.save()
    planted.watch(viewer, groups[0][0])
    planted.published(planted.tastes(groups[0]), ranker=planted.ranker(groups[0], by="on_tv", turns_at=0.5))
    only(personal=1)

    def lengths(answer: dict[str, Any]) -> list[int]:
        return [card["duration_ms"] // 60_000 for card in answer["results"]]

    on_tv = page(client, limit=3, device="tv")
    assert lengths(on_tv) == [20, 19, 18]
    assert lengths(client.get(on_tv["next"]).json()) == [17, 16, 15]
    assert lengths(page(client, limit=3, device="phone")) == [2, 3, 4]
    assert client.get("/api/v1/feed/", {"device": "fridge"}).status_code == 400


def test_what_is_like_the_unwanted_falls_in_every_source(client: APIClient, viewer: Member, groups: Groups) -> None:
    piano, cooking = groups
    planted.published(planted.tastes(*groups))
    only(popular=1)
    for item in piano:
        planted.watch(make.member(), item)
    assert {card["id"] for card in page(client, limit=5)["results"]} <= ids(piano)

    client.put(f"/api/v1/items/{piano[0].pk}/reactions/not_interested/")

    assert len({card["id"] for card in page(client, limit=5)["results"]} & ids(cooking)) == 4


def test_small_creators_have_their_part_of_all_places(in_school: Tenant) -> None:
    large, small = planted.videos(60), planted.videos(60)
    for item in large:
        planted.watch(make.member(), item)
        item.creator.followers = 100
        item.creator.save()
    only(popular=1, small_floor=0.25)

    def share() -> float:
        queries.forget_shelves()
        pages = [page(make.client(make.member()), limit=10)["results"] for _ in range(8)]
        return len([card for cards in pages for card in cards if card["id"] in ids(small)]) / 80

    assert share() == pytest.approx(0.2, abs=0.03)  # a quarter, less what is still owed
    FeedSettings.objects.update(small_floor=0)
    assert share() == 0


@pytest.mark.parametrize("size", [1, 2])
def test_a_short_page_is_not_of_new_topics_alone(viewer: Member, groups: Groups, size: int) -> None:
    piano, cooking = groups
    for slug, group in (("piano", piano), ("cooking", cooking)):
        topic = Topic.objects.create(slug=slug, name_zh=slug, name_en=slug)
        Item.objects.filter(pk__in=ids(group)).update(topic=topic)
    planted.watch(viewer, piano[0])
    only(personal=1, popular=0.001, new_topics=1)
    planted.published(planted.tastes(*groups))

    shown = [item for _, item in told(viewer, size=size)]

    assert len(ids(piano) & set(shown)) == 1
    assert len(ids(cooking) & set(shown)) == size - 1


def test_topics_are_met_by_watching(viewer: Member, groups: Groups) -> None:
    known, unknown = (Topic.objects.create(slug=slug, name_zh=slug, name_en=slug) for slug in ("known", "unknown"))
    Item.objects.filter(pk__in=ids(groups[0])).update(topic=known)
    Item.objects.filter(pk__in=ids(groups[1])).update(topic=unknown)
    planted.published(planted.tastes(*groups))
    planted.watch(viewer, groups[0][0])
    only(personal=1, explored=0.0001, new_topics=3)

    assert len({item for _, item in told(viewer, size=12)} & ids(groups[1])) == 3
