"""A generated world becomes rows: whole, believable in the database's eyes, and the same for the same seed."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import F

from billing.models import Price
from catalog.models import Comment, Item, Lesson, Reaction, Source, Watch
from creators.models import Creator, Follow
from kpplatform.demo.seeding import Size, seed_world
from kpplatform.demo.seeding.showing import PLACES
from kpplatform.demo.settling import settle
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from recommender.models import Impression

pytestmark = pytest.mark.django_db(databases=["default", "owner"])

SIZE = Size(viewers=60, videos=80, courses=4, days=4, seed=3)
END = datetime(2026, 5, 1, tzinfo=UTC)


def quiet(_: float) -> None:
    """Show nothing."""


@pytest.fixture
def seeded(school: Tenant) -> Tenant:
    seed_world(tenant=school, size=SIZE, ends_at=END, progress=quiet)
    settle(tenant=school, clean=True)
    return school


def test_a_world_fills_every_shelf(seeded: Tenant) -> None:
    with scope(seeded):
        assert Member.objects.count() == 60
        assert Item.objects.filter(kind="course").count() == 4
        assert Item.objects.filter(kind="video", is_free=True).count() == 80
        assert Price.objects.count() == 4
        assert Lesson.objects.filter(is_preview=True).count() == 4
        assert min(model.objects.count() for model in (Watch, Reaction, Follow, Comment)) > 0


def test_the_counters_are_the_counts(seeded: Tenant) -> None:
    with scope(seeded):
        liked = Item.objects.order_by("-likes")[0]
        assert liked.likes == Reaction.objects.filter(item=liked, kind="like").count() > 0
        followed = Creator.objects.order_by("-followers")[0]
        assert followed.followers == Follow.objects.filter(creator=followed).count() > 0


def test_the_dirty_watches_are_found(seeded: Tenant) -> None:
    with scope(seeded):
        dirty = Watch.objects.exclude(quarantine="").count()
        assert 0 < dirty < Watch.objects.count() / 5


def test_watches_say_where_they_began_as_a_client_would(seeded: Tenant) -> None:
    with scope(seeded):
        told = set(Watch.objects.values_list("source", flat=True))
        assert {Source.FEED, Source.RELATED, Source.FOLLOWING, Source.SEARCH} <= told <= set(Source.values)


def test_what_was_played_from_the_feed_was_shown_there_with_more_below_it(seeded: Tenant) -> None:
    with scope(seeded):
        pages = Counter(Impression.objects.values_list("page", flat=True))
        assert set(pages.values()) == {PLACES}
        played = Watch.objects.filter(quarantine="", source=Source.FEED)
        unshown = set(played.values_list("viewer", "item")) - set(Impression.objects.values_list("viewer", "item"))
        assert len(unshown) < played.count() / 50  # what is dirty and was not found
        assert played.count() < Impression.objects.count() < 10 * played.count()
        assert not Impression.objects.filter(item__published_at__gt=F("shown_at") + timedelta(hours=1)).exists()
        sources = {"popular", "model", "followed", "fresh", "explored", "similar", "interests", "cold"}
        assert set(Impression.objects.values_list("source", flat=True)) == sources


def test_places_of_one_page_stand_one_below_the_other(seeded: Tenant) -> None:
    with scope(seeded):
        page = Impression.objects.values_list("page", flat=True)[0]
        rows = Impression.objects.filter(page=page).order_by("position")
        [first, *_] = positions = [row.position for row in rows]
        assert positions == list(range(first, first + PLACES))
        assert len({(row.viewer_id, row.shown_at) for row in rows}) == 1


def test_the_same_seed_gives_the_same_world(school: Tenant, agency: Tenant) -> None:
    def told(tenant: Tenant) -> list[Any]:
        seed_world(tenant=tenant, size=SIZE, ends_at=END, progress=quiet)
        with scope(tenant):
            watches = Watch.objects.order_by("event_id").values_list("event_id", "viewer__name", "watch_ms")
            return [*watches, *Item.objects.order_by("title").values_list("title", "likes")]

    assert told(school) == told(agency)


def test_one_world_stays_in_its_tenant(seeded: Tenant, agency: Tenant) -> None:
    with scope(agency):
        assert not Item.objects.exists()
        assert not Watch.objects.exists()
