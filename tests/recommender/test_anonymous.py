"""Who does not consent is shown what everybody is shown; what they see and watch is nobody's, and nobody is learned."""

from datetime import timedelta
from uuid import uuid4

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from catalog.models import Item, Purpose, Watch
from catalog.operations import Event, give_consent, record_watches, withdraw_consent
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.operations import stand_in
from recommender import operations, queries
from recommender.api.cursors import cursor_of, session_of
from recommender.api.feed import LONGEST_CURSOR
from recommender.models import Exposure, Impression, Portrait, PortraitRun
from recommender.operations import Session, show_page
from recommender.operations.feed import SEEN
from recommender.operations.portraits import Row, store_portraits
from recommender.queries.on_show import on_show
from recommender.training import refresh_portraits
from recommender.training.questions import read as questions
from recommender.training.reading import everything
from tests import make
from tests.recommender import planted
from tests.recommender.portrayed import NOW, members, topics, watched
from tests.recommender.test_feed import page, session
from tests.recommender.test_personalisation import Groups, groups, pages, told

__all__ = ["groups"]
pytestmark = pytest.mark.usefixtures("_fresh_cache")
PERSONAL = Purpose.PERSONAL_EVENTS


def withdraw(viewer: Member) -> None:
    withdraw_consent(viewer=viewer, purpose=PERSONAL, at=timezone.now())


def agree(viewer: Member) -> None:
    give_consent(viewer=viewer, purpose=PERSONAL, version=0, at=timezone.now())


def test_without_consent_the_pages_are_those_of_who_closes_personalisation(groups: Groups) -> None:
    closed, silent = make.member(), make.member()
    for viewer, group in zip((closed, silent), groups, strict=True):
        for item in group[:5]:
            planted.watch(viewer, item)
    at = timezone.now()
    operations.close_personalisation(viewer=closed, at=at)
    withdraw(silent)

    first, second = (pages(viewer, at=at) for viewer in (closed, silent))

    assert told(first) == told(second)
    assert len({item for item, _ in told(second)}) == 30, "No repeats within a session."
    written = [
        list(Impression.objects.filter(viewer=viewer).order_by("position").values_list("item", "propensity", "version"))
        for viewer in (closed.pk, stand_in())
    ]
    assert written[0] == written[1]
    assert not Impression.objects.filter(viewer=silent).exists()
    nobodys = Impression.objects.filter(viewer=stand_in()).values_list("shown_at", flat=True).distinct().get()
    assert (nobodys.minute, nobodys.second) == (0, 0)
    assert not Exposure.objects.exists()


def test_a_session_shows_everything_once_though_nothing_of_it_is_kept(client: APIClient, viewer: Member) -> None:
    items = planted.videos(23)
    withdraw(viewer)

    assert sorted(session(client)) == [item.pk for item in items]
    assert sorted(session(client)) == [item.pk for item in items], "Another session knows nothing of the first."


@pytest.mark.parametrize("first", ["given", "withdrawn"])
def test_a_session_repeats_nothing_when_the_viewer_changes_their_mind(
    client: APIClient, viewer: Member, first: str
) -> None:
    items = planted.videos(23)
    before, after = (agree, withdraw) if first == "given" else (withdraw, agree)
    before(viewer)
    body = page(client, limit=8)
    shown = [card["id"] for card in body["results"]]

    after(viewer)
    while body["next"]:
        body = client.get(body["next"]).json()
        shown += [card["id"] for card in body["results"]]

    assert sorted(shown) == [item.pk for item in items]


def test_a_cursor_carries_no_more_than_it_can(viewer: Member) -> None:
    planted.videos(30)
    withdraw(viewer)
    at = timezone.now()
    long_ids = np.random.default_rng(0).integers(2**62, 2**63, SEEN).tolist()

    following = show_page(
        viewer=viewer, limit=20, session=Session(at, places=SEEN, seen=tuple(long_ids)), at=at
    ).following

    assert following
    assert len(following.seen) == SEEN
    assert following.seen[: SEEN - 20] == tuple(long_ids[20:]), "The longest ago is let go of."
    cursor = cursor_of(following, viewer=viewer)
    assert len(cursor) < LONGEST_CURSOR
    assert session_of(cursor, viewer=viewer, at=at) == following
    agree(viewer)
    assert len(cursor_of(Session(at, places=200), viewer=viewer)) < 150, "Who consents carries nothing."


def test_personal_pages_return_with_consent(client: APIClient, viewer: Member, groups: Groups) -> None:
    piano, _ = groups
    for item in piano[:3]:
        planted.watch(viewer, item)
    sources = []
    for say in (withdraw, agree):
        say(viewer)
        sources.append({card["source"] for card in page(client)["results"]})

    assert sources[0] <= {"popular", "fresh", "explored"}
    assert "model" in sources[1]


def test_a_page_costs_nothing_more_with_consent_and_one_statement_without(client: APIClient, viewer: Member) -> None:
    planted.videos(30)

    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            page(client)
        return len(captured)

    asked()
    silent = asked()
    agree(viewer)
    given = asked()
    withdraw(viewer)
    asked()

    assert (given, asked()) == (silent, silent + 1)


def nobody_watches(item: Item, *, times: int) -> None:
    """Write what was watched without consent, as `record_watches` does."""
    began = {"started_at": NOW - timedelta(days=2), "received_at": NOW, "watch_ms": 60_000, "duration_ms": 60_000}
    Watch.objects.bulk_create(Watch(event_id=uuid4(), viewer_id=stand_in(), item=item, **began) for _ in range(times))


def test_a_thousand_watches_of_nobody_are_no_viewer_of_a_model(in_school: Tenant) -> None:
    items = topics("piano", "chess")
    people = members(5)
    for member in people:
        watched(member, items["piano"])
    nobody_watches(items["chess"][0], times=1_000)

    learned = everything(until=NOW)
    refresh_portraits(tenant=in_school, at=NOW)
    _, asked, _ = questions(until=NOW)

    ids = sorted(member.pk for member in people)
    assert learned.viewer_ids.tolist() == ids
    assert items["chess"][0].pk not in learned.item_ids[np.unique(learned.item)]
    assert sorted(Portrait.objects.values_list("viewer", flat=True)) == ids
    assert np.unique(asked.viewer).tolist() == ids
    assert stand_in() not in queries.viewers_to_draw()


def test_what_nobody_watched_is_popular_all_the_same(in_school: Tenant) -> None:
    loved, liked, unseen = planted.videos(3)
    for viewer in (make.member(), make.member(), make.member()):
        for _ in range(4):
            planted.watch(viewer, liked)
    for times in (9, 16):
        withdrawn = make.member()
        withdraw(withdrawn)
        at = timezone.now()
        events = [
            Event(str(uuid4()), loved.pk, at - timedelta(minutes=minute), 30_000, "feed", "s")
            for minute in range(times)
        ]
        record_watches(viewer=withdrawn, events=events, at=at)

    shown = on_show(at=timezone.now())

    viewers = dict(zip(shown.items.tolist(), shown.viewers.tolist(), strict=True))
    assert viewers == {loved.pk: 5, liked.pk: 3, unseen.pk: 0}, "Twenty-five watches of nobody count as five viewers."
    assert [offer.item for offer in shown.popular] == [loved.pk, liked.pk, unseen.pk]


def test_who_withdraws_is_not_learned_from_and_loses_the_portrait_with_the_next_refresh(in_school: Tenant) -> None:
    items = topics("piano")["piano"]
    people = members(5)
    for member in people:
        watched(member, items)
    refresh_portraits(tenant=in_school, at=NOW)
    gone = people[0]

    withdraw(gone)

    assert gone.pk not in everything(until=NOW).viewer_ids
    assert Watch.objects.filter(viewer=gone).count() == 5, "Nothing is deleted without being asked for."
    refresh_portraits(tenant=in_school, at=NOW + timedelta(minutes=1))
    assert not Portrait.objects.filter(viewer=gone).exists()
    assert Portrait.objects.count() == 4
    agree(gone)
    assert gone.pk in everything(until=NOW).viewer_ids


def test_who_withdraws_while_portraits_are_drawn_gets_none(viewer: Member) -> None:
    run = PortraitRun.objects.create(at=NOW, half_life_days=30, viewers=1)
    blank = dict.fromkeys(("interests", "active_hours", "next_topics", "next_items", "next_hours"), "[]")
    seen = {"events": 1, "first_seen_at": NOW, "last_seen_at": NOW, "vector": b""}
    gone = make.member()
    withdraw(gone)

    store_portraits(
        run=run,
        rows=[
            Row(viewer_id=member.pk, segment_id=None, churn=None, purchase=None, **blank, **seen)  # type: ignore[arg-type]
            for member in (gone, viewer)
        ],
    )

    assert Portrait.objects.get().viewer == viewer
