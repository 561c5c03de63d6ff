"""Each factor that the studio tells of moves an item where the feed really puts items in order."""

from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from catalog import operations as catalog
from catalog.models import Item, Reaction, Watch
from creators.models import Follow
from kpplatform.console.pages.studio.ranking import FACTORS
from kpplatform.tenancy.models import Member, Tenant
from recommender import queries
from recommender.ml.ranker import boosted, choosing
from recommender.ml.ranker.choosing import Config
from recommender.ml.ranker.targets import HEADS
from recommender.queries import past
from recommender.queries.on_show import fresh, on_show
from recommender.serving.ranker import rank, worth
from recommender.training.questions import read
from tests import make
from tests.catalog import things
from tests.recommender import planted
from tests.recommender.test_sources import only, told

pytestmark = pytest.mark.usefixtures("_fresh_cache")
QUICK = Config(trees=boosted.Config(rounds=dict.fromkeys(HEADS, 20)))


def popular() -> list[int]:
    return [offer.item for offer in on_show(at=timezone.now()).popular]


def test_these_are_all() -> None:
    tested = {"reach", "completion", "engagement", "followers", "told", "unwanted"}

    assert {factor.part for factor in FACTORS} == tested


def test_more_viewers_move_up_and_robots_do_not(in_school: Tenant) -> None:
    first, second = planted.videos(2)
    planted.watch(make.member(), first)
    assert popular() == [first.pk, second.pk]

    for _ in range(3):
        robot = planted.watch(make.member(), second)
        Watch.objects.filter(pk=robot.pk).update(quarantine=Watch.Quarantine.BOT)
    assert popular() == [first.pk, second.pk]

    for _ in range(2):
        planted.watch(make.member(), second)
    assert popular() == [second.pk, first.pk]


def test_more_interaction_moves_up(in_school: Tenant) -> None:
    first, second = planted.videos(2)
    before = popular()

    catalog.react(viewer=make.member(), item=first, kind=Reaction.Kind.LIKE, at=timezone.now())

    assert before == [second.pk, first.pk], "The later one of two about which nothing is known."
    assert popular() == [first.pk, second.pk]


def test_followers_are_offered_it(viewer: Member) -> None:
    video, *_others = planted.videos(5)
    only(followed=1)
    assert ("followed", video.pk) not in told(viewer)

    Follow.objects.create(viewer=viewer, creator=video.creator, followed_at=timezone.now())

    assert told(viewer)[0] == ("followed", video.pk)


def test_a_topic_is_offered_to_who_chose_it_and_a_muted_word_hides(viewer: Member) -> None:
    video, *_others = planted.videos(5)
    topic = things.topic()
    only(interests=1)
    assert ("interests", video.pk) not in told(viewer, chosen=frozenset({topic.pk}))

    Item.objects.filter(pk=video.pk).update(topic=topic, tags=["etude"])
    queries.forget_shelves()

    assert told(viewer, chosen=frozenset({topic.pk}))[0] == ("interests", video.pk)
    assert list(on_show(at=timezone.now()).containing(["etude"])) == [video.pk]


def test_what_is_like_the_unwanted_falls(viewer: Member) -> None:
    piano, cooking = planted.videos(4), planted.videos(4)
    planted.published(planted.tastes(piano, cooking))
    only(popular=1)
    for item in piano[:3]:  # by far the most popular
        for _ in range(3):
            planted.watch(make.member(), item)
    before = [item for _, item in told(viewer, size=3)]

    catalog.react(viewer=viewer, item=piano[3], kind=Reaction.Kind.NOT_INTERESTED, at=timezone.now())
    queries.forget_shelves()
    after = [item for _, item in told(viewer, size=3)]

    assert set(before) <= {item.pk for item in piano}
    assert not set(after) <= {item.pk for item in piano}
    assert piano[3].pk not in {item for _, item in told(viewer, size=8)}


def test_what_is_withdrawn_is_nowhere_and_what_is_new_has_its_trials(in_school: Tenant) -> None:
    video, old = things.video(published_at=timezone.now() - timedelta(days=1)), planted.videos(1)[0]
    assert [offer.item for offer in fresh(at=timezone.now())] == [video.pk]
    assert old.pk in popular()

    assert video.creator.member
    catalog.withdraw(item=video, by=video.creator.member, at=timezone.now())

    assert fresh(at=timezone.now()) == ()
    assert video.pk not in popular()


def test_the_ranker_puts_what_is_watched_to_the_end_first(in_school: Tenant) -> None:
    """Everybody watches the good ones to the end and leaves the bad ones: so will somebody new."""
    good, bad = planted.videos(8), planted.videos(8)
    rng = np.random.default_rng(0)
    for number in range(40):
        viewer, mixed = make.member(), [*good, *bad]
        for days, place in enumerate(rng.permutation(16)):
            at = timezone.now() - timedelta(days=20 - days, minutes=number)
            planted.watch(viewer, mixed[place], share=0.97 if place < 8 else 0.03, at=at)

    now = timezone.now()
    moment = int(now.timestamp() * 1_000)
    world, asked, rows = read(until=now)
    examples = world.examples(asked, rows)
    later = choosing.latest(examples)
    seen = examples.where(~later), examples.where(later)
    ranker = choosing.fit(boosted.NAME, world, *seen, at=moment, config=QUICK).ranker

    candidates = np.array([item.pk for item in (*bad, *good)])
    judged = rank(ranker, past(make.member(), started=now, at=now), candidates, at=moment)

    assert worth(judged)[8:].min() > worth(judged)[:8].max()
