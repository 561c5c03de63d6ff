"""Without consent what is watched is stored as nobody's, once, and counts."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from catalog import operations, queries
from catalog.models import Reaction, Watch
from catalog.operations import Event
from kpplatform.rest.models import KeyedRequest
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.operations import stand_in
from kpplatform.tenancy.scope import scope
from tests import make
from tests.catalog import things
from tests.catalog.test_consents import PERSONAL, withdrawn
from tests.catalog.test_watches import send, told
from tests.concurrency import at_once
from tests.conftest import NOON


def test_what_is_watched_without_consent_is_kept_as_nobodys(client: APIClient, viewer: Member) -> None:
    video = things.video()
    withdrawn(viewer)
    sent = told(video, started_at="2026-05-01T12:34:56.78Z", source="feed", session="s-1", device="phone")

    answer = send(client, sent)

    assert answer["stored"] == 1
    kept = Watch.objects.get()
    assert kept.viewer.role == Member.Role.ANONYMOUS
    assert (kept.item, kept.watch_ms, kept.duration_ms) == (video, 30_000, 60_000)
    assert (kept.session, kept.source, kept.device, kept.started_at) == ("", "", 0, NOON)
    assert (kept.received_at.minute, kept.received_at.second, kept.received_at.microsecond) == (0, 0, 0)
    assert kept.event_id != UUID(sent["event_id"])
    assert not queries.watches_of(viewer).exists()


def test_an_event_is_stored_once_whatever_is_said_in_between(client: APIClient, viewer: Member) -> None:
    video = things.video()
    before, after = told(video), told(video)
    send(client, before)
    withdrawn(viewer)

    known = [send(client, before, after)["known"], send(client, after, after)["known"]]
    operations.give_consent(viewer=viewer, purpose=PERSONAL, version=0, at=timezone.now())
    known.append(send(client, before, after)["known"])

    assert known == [1, 2, 2]
    assert Watch.objects.count() == 2


def test_two_people_are_no_copy_of_each_other(client: APIClient, viewer: Member) -> None:
    sent, other = told(things.video()), withdrawn(make.member())
    withdrawn(viewer)

    stored = [send(of, sent)["stored"] for of in (client, make.client(other))]

    assert stored == [1, 1]
    assert Watch.objects.values_list("viewer", "quarantine").distinct().get() == (stand_in(), "")


def test_what_may_be_watched_is_still_asked_of_who_watches(client: APIClient, viewer: Member) -> None:
    bought, unpaid, own = things.course(), things.course(), things.video(things.creator(viewer))
    operations.grant_access(viewer=viewer, item=bought, source="order:1", starts_at=NOON)
    withdrawn(viewer)

    answer = send(client, told(bought), told(unpaid), told(own), told(own, watch_ms=10))

    assert answer["refused"] == [{"index": 1, "code": "not_bought"}]
    assert (answer["stored"], answer["quarantined"]) == (3, {"self_view": 1, "too_fast": 1})


def test_what_is_done_on_purpose_stays_ones_own(client: APIClient, viewer: Member) -> None:
    video = things.video()
    withdrawn(viewer)

    client.put(f"/api/v1/items/{video.pk}/reactions/like/")

    assert Reaction.objects.get().viewer == viewer


def test_a_key_of_a_batch_is_not_kept(client: APIClient, in_school: Tenant) -> None:
    body = {"watches": [told(things.video())]}

    stored = [
        client.post("/api/v1/watches/", body, headers={"Idempotency-Key": "k"}).json()["stored"] for _ in range(2)
    ]

    assert stored == [1, 0]
    assert not KeyedRequest.objects.exists()


@pytest.mark.django_db(databases=["default", "owner"], transaction=True)
def test_many_at_once_make_one_anonymous_member(school: Tenant) -> None:
    with scope(school):
        video, viewers = things.video(), [withdrawn(make.member()) for _ in range(5)]
    batches = [
        partial(
            operations.record_watches,
            viewer=viewer,
            events=[Event(str(uuid4()), video.pk, NOON, 30_000, "", "")],
            at=NOON + timedelta(seconds=1),
        )
        for viewer in viewers
    ]

    recorded = at_once(school, batches)

    assert [done.stored for done in recorded] == [1] * 5
    with scope(school):
        assert Watch.objects.filter(viewer=Member.objects.get(role=Member.Role.ANONYMOUS)).count() == 5


@pytest.mark.django_db(databases=["default", "owner"], transaction=True)
def test_cleaning_again_leaves_what_is_nobodys(school: Tenant) -> None:
    with scope(school):
        video = things.video()
        for _ in range(2):
            event = Event(str(uuid4()), video.pk, NOON, 30_000, "", "")
            operations.record_watches(viewer=withdrawn(make.member()), events=[event], at=NOON)

    assert operations.clean_again(tenant=school) == {}

    with scope(school):
        assert queries.quarantined() == {}


def test_a_batch_costs_one_statement_more_without_consent(client: APIClient, viewer: Member) -> None:
    videos = [things.video() for _ in range(20)]

    def asked(*batch: Any) -> int:
        with CaptureQueriesContext(connection) as captured:
            send(client, *map(told, batch))
        return len(captured)

    asked(*videos)
    with_consent = asked(*videos)
    withdrawn(viewer)
    asked(videos[0])

    assert asked(videos[1]) == asked(*videos) == with_consent + 1
