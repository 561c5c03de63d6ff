"""What those follow who follow the same creators comes into the feed, and goes when it is switched off."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from catalog.models import Item
from creators.models import Creator, Follow
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from recommender import queries
from recommender.ml.social import Social
from recommender.models import FeedSettings, TrainingRun
from recommender.operations import close_personalisation
from recommender.training.following import learned_from_follows
from tests import make
from tests.recommender import planted
from tests.recommender.test_feed import page
from tests.recommender.test_sources import ids, only, told
from tests.recommender.test_why import why

pytestmark = pytest.mark.usefixtures("_fresh_cache")

Groups = tuple[list[Item], list[Item]]


@pytest.fixture
def groups(in_school: Tenant) -> Groups:
    """Two circles of five videos, each by a creator of its own."""
    return planted.videos(5), planted.videos(5)


def follow(viewer: Member, *items: Item) -> None:
    for item in items:
        Follow.objects.create(viewer=viewer, creator=item.creator, followed_at=timezone.now() - timedelta(hours=1))


def learned() -> dict[str, object]:
    """Return the part that a training would learn now."""
    return dict(learned_from_follows(TrainingRun(data_until=timezone.now())))


@pytest.fixture
def _followers(groups: Groups) -> None:
    """Three viewers who follow everybody of the first circle, and three for the second."""
    for circle in groups:
        for _ in range(3):
            follow(make.member(), *circle)


@pytest.mark.usefixtures("_followers")
def test_creators_of_the_viewers_circle_are_offered_and_nobody_else(viewer: Member, groups: Groups) -> None:
    ours, theirs = groups
    follow(viewer, ours[0], ours[1])
    planted.published(planted.tastes(ours, theirs), **learned())
    only(social=1)

    shown = told(viewer, size=3)

    assert {source for source, _ in shown} == {"social"}
    assert {item for _, item in shown} == ids(ours[2:])


@pytest.mark.usefixtures("_followers")
def test_whom_the_viewer_has_followed_for_long_is_not_offered_either(
    viewer: Member, groups: Groups, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = groups
    monkeypatch.setattr("recommender.serving.social.FOLLOWED_LAST", 1)
    follow(viewer, *ours[:3])
    planted.published(planted.tastes(ours, theirs), **learned())
    only(social=1, popular=0.000001)

    assert {item for source, item in told(viewer, size=5) if source == "social"} == ids(ours[3:])


@pytest.mark.usefixtures("_followers")
def test_of_those_what_the_viewers_behaviour_speaks_for_comes_first(viewer: Member, groups: Groups) -> None:
    ours, theirs = groups
    follow(viewer, ours[0])
    planted.watch(viewer, theirs[0])
    planted.published(planted.tastes([*theirs, ours[3]]), **learned())
    only(social=1, personal=0.000001)

    assert told(viewer, size=1) == [("social", ours[3].pk)]


@pytest.mark.usefixtures("_followers")
def test_switched_off_without_follows_and_without_the_part_nothing_comes_of_it(viewer: Member, groups: Groups) -> None:
    planted.published(planted.tastes(*groups), **learned())
    only(social=1, popular=0.1)
    assert {source for source, _ in told(viewer, size=3)} == {"popular"}

    follow(viewer, groups[0][0])
    assert "social" in {source for source, _ in told(viewer, size=3)}

    FeedSettings.objects.update(social=0)
    queries.forget_shelves()
    assert {source for source, _ in told(viewer, size=3)} == {"popular"}

    FeedSettings.objects.update(social=1)
    planted.published(planted.tastes(*groups))
    queries.forget_shelves()
    assert {source for source, _ in told(viewer, size=3)} == {"popular"}


@pytest.mark.usefixtures("_followers")
def test_why_names_whom_the_viewer_follows(client: APIClient, viewer: Member, groups: Groups) -> None:
    ours, theirs = groups
    follow(viewer, ours[0])
    planted.published(planted.tastes(ours, theirs), **learned())
    only(social=1)

    shown = page(client, limit=1)

    reason = {
        "source": "social",
        "about": ours[0].creator.name,
        "text": "Those who follow the same creators as you follow its creator.",
    }
    assert why(client, shown)["reasons"][0] == reason
    assert why(client, shown, language="zh-CN")["reasons"][0]["text"] == "与您关注相同创作者的人也关注它的创作者。"


@pytest.mark.usefixtures("_followers")
def test_follows_of_who_closed_personalisation_and_of_other_tenants_are_not_learned(
    groups: Groups, agency: Tenant
) -> None:
    with scope(agency):
        elsewhere = planted.videos(2)
        for _ in range(2):
            follow(make.member(), *elsewhere)
    lone = planted.videos(2)
    shy = [make.member() for _ in range(2)]
    for viewer in shy:
        follow(viewer, *lone)

    both = learned()["social"]
    close_personalisation(viewer=shy[0], at=timezone.now())
    one = learned()["social"]

    assert isinstance(both, Social)
    assert isinstance(one, Social)
    here = set(Creator.objects.values_list("pk", flat=True))
    assert set(both.creator_ids.tolist()) <= here
    places = [both.creator_ids.tolist().index(item.creator_id) for item in lone]
    assert both.near[places, 0].tolist() == places[::-1]
    places = [one.creator_ids.tolist().index(item.creator_id) for item in lone]
    assert one.near[places, 0].tolist() == [-1, -1]
