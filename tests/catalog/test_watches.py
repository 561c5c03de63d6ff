"""Watches come in batches, again and in any order; each is stored once, and cleaned."""

import random
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from catalog import operations, queries
from catalog.models import Item, Watch
from catalog.operations import Event
from kpplatform.rest import devices
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from recommender.ml.ranker import circumstances
from tests import make
from tests.catalog import things
from tests.concurrency import at_once
from tests.conftest import NOON

WATCHES = "/api/v1/watches/"
SECOND = timedelta(seconds=1)


def told(item: Item, /, **fields: Any) -> dict[str, Any]:
    """Return an event as a device sends it, a moment after."""
    moment = (timezone.now() - timedelta(hours=1)).isoformat()
    return {"event_id": str(uuid4()), "item": item.pk, "started_at": moment, "watch_ms": 30_000} | fields


def send(client: APIClient, *events: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(WATCHES, {"watches": list(events)})
    assert answer.status_code == 200, answer.json()
    return dict(answer.json())


def event(item: Item, started_at: datetime = NOON, watch_ms: int = 30_000) -> Event:
    return Event(str(uuid4()), item.pk, started_at, watch_ms, "feed", "")


def test_a_batch_sent_twice_and_in_another_order_is_stored_once(client: APIClient, viewer: Member) -> None:
    events = [told(things.video()) for _ in range(3)]

    first, again = send(client, *events), send(client, *events[::-1], told(things.video()))

    assert (first["stored"], first["known"]) == (3, 0)
    assert (again["stored"], again["known"]) == (1, 3)
    assert Watch.objects.filter(viewer=viewer).count() == 4


def test_an_event_twice_in_one_batch_is_stored_once_the_first_way(client: APIClient, in_school: Tenant) -> None:
    first = told(things.video())
    shouted = first | {"event_id": first["event_id"].upper(), "watch_ms": 40_000}

    answer = send(client, first, shouted)

    assert (answer["stored"], answer["known"]) == (1, 1)
    assert Watch.objects.get().watch_ms == 30_000


def test_a_watch_is_kept_as_it_was_told(client: APIClient, viewer: Member) -> None:
    video = things.video()
    sent = told(video, started_at="2026-05-01T20:00:00.25+08:00", source="feed", session="s-1")

    send(client, sent)

    kept = Watch.objects.get()
    assert kept.event_id == UUID(sent["event_id"])
    assert (kept.viewer, kept.item, kept.started_at) == (viewer, video, NOON + SECOND / 4)
    assert (kept.watch_ms, kept.duration_ms, kept.source, kept.session) == (30_000, 60_000, "feed", "s-1")


def test_what_breaks_a_rule_is_stored_in_quarantine_and_counted(client: APIClient, viewer: Member) -> None:
    video, own = things.video(), things.video(things.creator(viewer))
    same = told(video)

    answer = send(
        client, same, same | {"event_id": str(uuid4())}, told(video, watch_ms=10), told(video, watch_ms=900_000),
        told(own), told(video, started_at="2031-01-01T00:00:00Z"),
    )  # fmt: skip

    reasons = ["duplicate", "too_fast", "impossible_duration", "self_view", "clock_skew"]
    assert (answer["stored"], answer["quarantined"]) == (6, dict.fromkeys(reasons, 1))
    assert queries.quarantined() == answer["quarantined"]
    assert [watch.item for watch in queries.watches_of(viewer)] == [video]


def test_what_cannot_be_watched_is_refused_one_by_one(client: APIClient, agency: Tenant, in_school: Tenant) -> None:
    with scope(agency):
        foreign = things.video()
    free, paid, draft = things.video(), things.course(), things.video(published_at=None)

    answer = send(client, told(foreign), told(free), told(paid), told(draft))

    assert answer["stored"] == 1
    assert answer["refused"] == [
        {"index": 0, "code": "unknown_item"},
        {"index": 2, "code": "not_bought"},
        {"index": 3, "code": "unknown_item"},
    ]


def test_a_batch_of_nothing_else_is_refused_as_a_whole(client: APIClient, agency: Tenant, in_school: Tenant) -> None:
    with scope(agency):
        foreign = things.video()

    unknown = client.post(WATCHES, {"watches": [told(foreign)]})
    unpaid = client.post(WATCHES, {"watches": [told(things.course())]})

    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_item")
    assert (unpaid.status_code, unpaid.json()["code"]) == (402, "not_bought")
    assert Watch.objects.count() == 0


def test_what_was_bought_may_be_watched(client: APIClient, viewer: Member) -> None:
    course = things.course()

    operations.grant_access(viewer=viewer, item=course, source="order:1", starts_at=NOON)

    assert send(client, told(course))["stored"] == 1


@pytest.mark.parametrize("body", [
    None, [], {}, {"watches": {}}, {"watches": []}, {"watches": [], "more": 1}, {"watches": [{}] * 501},
], ids=lambda body: str(body)[:40])  # fmt: skip
def test_a_batch_that_is_none_is_refused(client: APIClient, body: object) -> None:
    answer = client.post(WATCHES, body)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        *(({"event_id": value}, "event_id") for value in (None, 5, "", "x" * 36, "0" * 32)),
        *(({"item": value}, "item") for value in (None, 0, -1, 2**63, 1.0, "1", True, [1], {"id": 1})),
        *(({"watch_ms": value}, "watch_ms") for value in (None, -1, 86_400_001, 10**30, 0.5, "1", True)),
        *(
            ({"started_at": value}, "started_at")
            for value in (None, 0, "", "now", "2026-05-01T12:00:00", "1999-12-31T23:59:59Z", "2100-01-01T00:00:00Z")
        ),
        ({"started_at": "0001-01-01T00:00:00+14:00"}, "started_at"),
        ({"started_at": "9999-12-31T23:59:59-14:00"}, "started_at"),
        *(({"source": value}, "source") for value in (None, 1, "x" * 21, "a\x00b")),
        *(({"session": value}, "session") for value in (None, 1, "x" * 41, "a\nb")),
        ({"viewer": 1}, "viewer"),
        ({"quarantine": ""}, "quarantine"),
    ],
    ids=str,
)
def test_a_wrong_field_is_named_with_its_index_and_nothing_is_written(
    client: APIClient, in_school: Tenant, wrong: dict[str, Any], field: str
) -> None:
    video = things.video()

    answer = client.post(WATCHES, {"watches": [told(video), told(video, **wrong)]})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert list(answer.json()["fields"]["watches"]["1"]) == [field]
    assert Watch.objects.count() == 0


def test_malformed_json_is_refused(client: APIClient) -> None:
    answer = client.post(WATCHES, b'{"watches": [', content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")


def test_a_batch_costs_the_same_for_one_and_for_many(client: APIClient, in_school: Tenant) -> None:
    videos = [things.video() for _ in range(50)]

    def queries_for(*items: Item) -> int:
        with CaptureQueriesContext(connection) as captured:
            send(client, *map(told, items))
        return len(captured)

    queries_for(videos[0])

    assert queries_for(videos[1]) == queries_for(*videos[2:])


@pytest.mark.django_db(databases=["default", "owner"], transaction=True)
def test_one_batch_sent_by_many_at_once_is_stored_once(school: Tenant) -> None:
    with scope(school):
        viewer, items = make.member(), [things.video() for _ in range(3)]
    events = [event(item) for item in items]
    record = partial(operations.record_watches, viewer=viewer, events=events, at=NOON + SECOND)

    recorded = at_once(school, [record] * 6)

    assert sorted(done.stored for done in recorded) == [0, 0, 0, 0, 0, 3]
    with scope(school):
        assert Watch.objects.count() == 3


@pytest.mark.django_db(databases=["default", "owner"], transaction=True)
def test_judging_everything_anew_says_what_was_said_at_the_door(school: Tenant) -> None:
    chance, lengths = random.Random(7), [500, 9_000, 9_000, 9_000, 400_000]
    with scope(school):
        viewers = [make.member() for _ in range(3)]
        items = [things.video(), things.video(things.creator(viewers[0])), things.video()]
    for _ in range(40):
        events = [
            event(chance.choice(items), NOON + chance.randrange(240) * SECOND / 2, chance.choice(lengths))
            for _ in range(30)
        ]
        with scope(school):
            operations.record_watches(viewer=chance.choice(viewers), events=events, at=NOON + SECOND)
    with scope(school):
        at_the_door = dict(Watch.objects.values_list("pk", "quarantine"))
        reasons = set(at_the_door.values())

    nothing_moved = operations.clean_again(tenant=school)
    with scope(school):
        Watch.objects.update(quarantine="bot")
    moved = operations.clean_again(tenant=school)

    assert reasons == {"", "too_fast", "impossible_duration", "self_view", "duplicate", "bot"}
    assert nothing_moved == {}
    assert sum(moved.values()) == sum(verdict != "bot" for verdict in at_the_door.values())
    with scope(school):
        assert dict(Watch.objects.values_list("pk", "quarantine")) == at_the_door


@pytest.mark.django_db(databases=["default", "owner"], transaction=True)
def test_cleaning_again_touches_its_own_tenant_only(school: Tenant, agency: Tenant) -> None:
    for tenant in (school, agency):
        with scope(tenant):
            operations.record_watches(viewer=make.member(), events=[event(things.video())], at=NOON + SECOND)
            Watch.objects.update(quarantine="bot")

    assert operations.clean_again(tenant=school) == {"": 1}

    with scope(agency):
        assert queries.quarantined() == {"bot": 1}


TELEVISION = "Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/537.36 TV Safari/537.36"


def test_on_what_it_was_watched_is_what_the_event_says_else_what_the_headers_tell(
    client: APIClient, in_school: Tenant
) -> None:
    video = things.video()
    said, silent = told(video, device="phone", network="wifi"), told(video)

    answer = client.post(
        WATCHES, {"watches": [said, silent]}, headers={"user-agent": TELEVISION, "save-data": "on"}
    ).json()

    assert answer["stored"] == 2
    on = {str(watch.event_id): (watch.device, watch.network) for watch in Watch.objects.all()}
    assert on[said["event_id"]] == (Watch.Device.PHONE, Watch.Network.WIFI)
    assert on[silent["event_id"]] == (Watch.Device.TV, Watch.Network.CELLULAR)
    [read] = queries.interactions_between(None, timezone.now())
    assert sorted(zip(read["device"].tolist(), read["network"].tolist(), strict=True)) == [(1, 1), (4, 2)]


@pytest.mark.parametrize("wrong", [{"device": "fridge"}, {"device": 1}, {"network": None}, {"network": ["wifi"]}])
def test_a_device_or_network_that_there_is_not_refuses_the_batch(
    client: APIClient, in_school: Tenant, wrong: dict[str, Any]
) -> None:
    answer = client.post(WATCHES, {"watches": [told(things.video(), **wrong)]})

    assert answer.status_code == 400
    assert not Watch.objects.exists()


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148", "phone"),
        ("Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/120 Mobile Safari/537.36", "phone"),
        ("Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) Mobile/15E148", "tablet"),
        ("Mozilla/5.0 (Linux; Android 13; SM-X900) Chrome/120 Safari/537.36", "tablet"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/120", "desktop"),
        (TELEVISION, "tv"),
        ("curl/8", "unknown"),
        ("", "unknown"),
    ],
)
def test_the_headers_tell_the_device(agent: str, device: str) -> None:
    assert devices.device_of({"User-Agent": agent}) == device
    assert devices.device_of({"User-Agent": "", "Sec-CH-UA-Mobile": "?1"}) == "phone"
    assert devices.network_of({"User-Agent": agent}) == "unknown"


def test_there_is_one_list_of_devices_and_one_of_networks() -> None:
    assert devices.DEVICES == circumstances.DEVICES == tuple(name.lower() for name in Watch.Device.names)
    assert devices.NETWORKS == circumstances.NETWORKS == tuple(name.lower() for name in Watch.Network.names)
