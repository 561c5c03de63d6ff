"""Learning to rank from a tenant's tables: views, what was passed over, likes, follows and purchases."""

import uuid
from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from catalog.models import Item, Watch
from creators.models import Follow
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.places import tenant_folder
from kpplatform.tenancy.scope import scope
from recommender.ml.ranker import attending, boosted
from recommender.ml.ranker.choosing import Config
from recommender.ml.ranker.circumstances import code
from recommender.ml.ranker.targets import HEADS
from recommender.models import Impression
from recommender.queries import past
from recommender.serving import artefacts
from recommender.serving.bundle import RANKER
from recommender.serving.ranker import rank, worth
from recommender.training.candidates import Budget
from recommender.training.fitting import OverBudgetError, Timer
from recommender.training.publishing import ranked_by
from recommender.training.questions import read
from recommender.training.ranking import fit_ranker
from tests import make
from tests.recommender import planted

QUICK = Config(trees=boosted.Config(rounds=dict.fromkeys(HEADS, 20)), network=attending.Config(steps=50, epochs=1))


def show(viewer: Member, items: list[Item], *, minutes_ago: int = 60) -> None:
    """Show a page of items."""
    page, at = uuid.uuid4(), timezone.now() - timedelta(minutes=minutes_ago)
    for position, item in enumerate(items):
        Impression.objects.create(
            viewer=viewer, item=item, page=page, position=position, propensity=1, source="popular", shown_at=at
        )


def test_a_question_is_a_view_or_what_was_passed_over(in_school: Tenant) -> None:
    viewer, (skipped, watched, unseen) = make.member(), planted.videos(3)
    show(viewer, [skipped, watched, unseen])
    planted.watch(viewer, watched, share=1.0, at=timezone.now() - timedelta(minutes=59))
    Watch.objects.update(device=Watch.Device.TV, network=Watch.Network.WIFI)

    world, told, rows = read(until=timezone.now())

    answers = world.examples(told, rows).answers
    by_item = dict(zip(world.items.ids[told.item].tolist(), answers.long_view.tolist(), strict=True))
    assert by_item == {skipped.pk: 0.0, watched.pk: 1.0}
    assert told.circumstance.tolist() == [code(4, 1)] * 2


def test_likes_and_follows_belong_to_the_view_before_them(in_school: Tenant) -> None:
    viewer, (liked, followed, neither) = make.member(), planted.videos(3)
    for item in (liked, followed, neither):
        planted.watch(viewer, item, at=timezone.now() - timedelta(minutes=10))
    planted.react(viewer, liked)
    Follow.objects.create(viewer=viewer, creator=followed.creator, followed_at=timezone.now() - timedelta(minutes=5))

    world, told, rows = read(until=timezone.now() + timedelta(minutes=1))

    answers = world.examples(told, rows).answers
    ids = world.items.ids[told.item]
    assert ids[answers.like == 1].tolist() == [liked.pk]
    assert ids[answers.follow == 1].tolist() == [followed.pk]


@pytest.mark.parametrize("viewers", [0, 2])
def test_too_little_to_learn_from_gives_none_and_says_why(in_school: Tenant, viewers: int) -> None:
    videos = planted.videos(3)
    for _ in range(viewers):
        planted.watch(make.member(), videos[0])

    found = fit_ranker(tenant=in_school, until=timezone.now(), config=QUICK)

    assert (found.part, found.reason) == (None, "too_few_views")


def test_what_viewers_love_is_ranked_first_by_the_part_of_a_version(in_school: Tenant) -> None:
    ours, theirs = _two_tastes()

    found = fit_ranker(tenant=in_school, until=timezone.now(), config=QUICK)

    assert found.part is not None, (found.reason, found.metrics)
    folder = tenant_folder("models", "ranked")
    sealed = artefacts.store({RANKER: found.part}, folder, tenant_id=in_school.pk)
    ranker = artefacts.load(folder, sealed, tenant_id=in_school.pk).ranker
    viewer, now = make.member(), timezone.now()
    for item in ours[:6]:
        planted.watch(viewer, item, at=now - timedelta(minutes=5))
    candidates = np.array([item.pk for item in (*theirs[6:12], *ours[6:12])])
    told = rank(ranker, past(viewer, started=now, at=now), candidates, at=int(now.timestamp() * 1_000))
    best = candidates[np.argsort(-worth(told))[:6]]
    assert set(best.tolist()) == {item.pk for item in ours[6:12]}
    assert rank(ranker, past(viewer, started=now, at=now), candidates[:0], at=0).shape == (0, len(HEADS))


def test_a_kind_that_fails_does_not_take_the_other_with_it(in_school: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    _two_tastes()

    def fails(*_: object, **__: object) -> None:
        raise OverBudgetError("50 s, and 8 of 16 steps are done.")

    monkeypatch.setattr(attending, "fit", fails)

    found = fit_ranker(tenant=in_school, until=timezone.now(), config=QUICK)

    assert found.part is not None
    assert (found.reason, set(found.metrics)) == ("boosted_is_better", {"boosted"})


def test_each_fit_has_the_timer_s_seconds_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("recommender.training.fitting.time.monotonic", lambda: now[0])
    timer = Timer(10, lambda _done, _of: None)

    for done in (1, 2, 1, 2):  # two fits of three steps, four seconds each
        now[0] += 4
        timer(done, 3)
    now[0] += 4

    with pytest.raises(OverBudgetError):
        timer(3, 4)


@pytest.mark.parametrize(
    ("minutes", "events", "cards", "kinds", "most"),
    [
        (1, 260_000, 0, 1, 12_000),
        (30, 10_000, 0, 1, 360_000),
        (30, 260_000, 0, 2, 360_000),
        (5, 260_000, 0, 1, 60_000),
        (60, 260_000, 1, 2, 400_000),
        (0.1, 10_000, 0, 1, 5_000),
    ],
)
def test_rankers_learn_from_as_much_as_there_is_time_for(
    minutes: float, events: int, cards: int, kinds: int, most: int
) -> None:
    names, questions = ranked_by(Budget(minutes, 16_000, cards), events=events)

    assert len(names) == kinds
    assert questions == pytest.approx(most, rel=0.01)


def _two_tastes() -> tuple[list[Item], list[Item]]:
    """Let viewers of two tastes watch all of both creators' videos: to the end what they love, the rest hardly."""
    groups = planted.videos(12, by=planted.creator()), planted.videos(12, by=planted.creator())
    rng = np.random.default_rng(0)
    for number in range(40):
        viewer = make.member()
        mixed = [*groups[0], *groups[1]]
        for minutes, place in enumerate(rng.permutation(len(mixed))):
            loved = mixed[place] in groups[number % 2]
            at = timezone.now() - timedelta(minutes=60 * (30 - minutes) + number)
            planted.watch(viewer, mixed[place], share=0.97 if loved else 0.03, at=at)
    return groups


def test_reading_is_of_one_tenant(in_school: Tenant, agency: Tenant) -> None:
    planted.watch(make.member(), planted.videos(1)[0])

    with scope(agency):
        _, told, _ = read(until=timezone.now())

    assert not len(told)
