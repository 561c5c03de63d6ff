"""Looks at profiles and offers: each stored once, as the viewer's only if they consent."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from catalog import operations as catalog
from catalog.models import Purpose
from kpplatform.metrics.models import Visit
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.catalog import things

pytestmark = pytest.mark.usefixtures("_fresh_cache")

VISITS = "/api/v1/visits/"


def visit(*, at: datetime | None = None, **of: Any) -> dict[str, Any]:
    moment = at or timezone.now()
    return {"event_id": str(uuid.uuid4()), "visited_at": moment.isoformat(), "source": "search"} | of


def sent(client: APIClient, *visits: dict[str, Any]) -> Any:
    return client.post(VISITS, {"visits": list(visits)}, "json")


def stored(client: APIClient, *visits: dict[str, Any]) -> int:
    answer = sent(client, *visits)
    assert answer.status_code == 200, answer.content
    return int(answer.json()["stored"])


def test_a_batch_of_looks_is_stored_once_however_often_it_is_sent(client: APIClient, viewer: Member) -> None:
    course = shop.course_for(10_000)
    product = shop.offered(course.creator, course, minor=12_000)
    batch = [visit(creator=course.creator.handle), visit(item=course.pk), visit(product=product.pk)]

    assert stored(client, *batch) == 3
    assert stored(client, *batch) == 0
    assert stored(client, *batch, visit(item=course.pk)) == 1

    rows = Visit.objects.filter(viewer=viewer).order_by("pk").values_list("page", "creator", "item", "product")
    assert list(rows) == [
        ("profile", course.creator_id, None, None),
        ("product", None, course.pk, None),
        ("product", None, None, product.pk),
        ("product", None, course.pk, None),
    ]


def test_the_same_event_twice_in_one_batch_is_one(client: APIClient) -> None:
    look = visit(creator=things.creator().handle)

    assert stored(client, look, look) == 1


def test_a_look_at_ones_own_is_not_stored(in_school: Tenant) -> None:
    creator = things.creator(make.member(Member.Role.CREATOR))
    own, other = things.course(creator), shop.course_for(10_000)

    looks = [visit(creator=creator.handle), visit(item=own.pk), visit(item=other.pk)]

    assert stored(make.client(creator.member), *looks) == 1
    assert Visit.objects.get().item_id == other.pk


def test_without_consent_it_is_nobodys_and_still_stored_once(client: APIClient, viewer: Member) -> None:
    catalog.withdraw_consent(viewer=viewer, purpose=Purpose.PERSONAL_EVENTS, at=timezone.now())
    look = visit(creator=things.creator().handle)

    assert stored(client, look) == 1
    assert stored(client, look) == 0

    row = Visit.objects.select_related("viewer").get()
    assert row.viewer.role == Member.Role.ANONYMOUS
    assert str(row.event_id) != look["event_id"]
    assert row.source == ""
    assert {(at.minute, at.second, at.microsecond) for at in (row.visited_at, row.received_at)} == {(0, 0, 0)}


def test_where_from_is_one_of_the_published_words_or_other(client: APIClient) -> None:
    handle = things.creator().handle
    told = ["profile", "", "Search", "a hostile client"]

    assert stored(client, *(visit(creator=handle, source=word) for word in told)) == 4

    assert sorted(Visit.objects.values_list("source", flat=True)) == ["", "other", "other", "profile"]


@pytest.mark.parametrize(
    ("late", "status"),
    [(timedelta(days=31), 400), (timedelta(hours=-25), 400), (timedelta(days=29), 200)],
)
def test_a_look_at_an_impossible_time_refuses_the_batch(client: APIClient, late: timedelta, status: int) -> None:
    handle = things.creator().handle

    answer = sent(client, visit(creator=handle), visit(creator=handle, at=timezone.now() - late))

    assert answer.status_code == status
    assert Visit.objects.count() == (2 if status == 200 else 0)
    if status == 400:
        assert answer.json()["code"] == "impossible_time"


def test_what_is_not_there_refuses_the_batch(client: APIClient, agency: Tenant) -> None:
    known = visit(creator=things.creator().handle)
    draft, priced = things.video(published_at=None), shop.course_for(10_000)
    gone = shop.offered(priced.creator, priced, minor=12_000)
    gone.withdrawn_at = timezone.now()
    gone.save()
    with scope(agency):
        theirs = things.video()
        handle = theirs.creator.handle + "-theirs"
        type(theirs.creator).objects.filter(pk=theirs.creator_id).update(handle=handle)

    for unknown in (
        visit(creator="nobody"),
        visit(creator=handle),
        visit(item=theirs.pk),
        visit(item=draft.pk),
        visit(product=gone.pk),
        visit(product=2**63 - 1),
    ):
        answer = sent(client, known, unknown)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_page"), unknown
    assert not Visit.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [{}, {"creator": "ann", "item": 1}, {"item": 0}, {"item": 2**63}, {"creator": "ann", "event_id": "1"},
     {"creator": "ann", "source": "x" * 21}, {"creator": "ann", "visited_at": "noon"}, {"creator": "ann", "by": 1}],
)  # fmt: skip
def test_what_is_no_look_is_refused(client: APIClient, wrong: dict[str, Any]) -> None:
    assert sent(client, visit() | wrong).json()["code"] == "invalid"


def test_a_batch_is_of_a_look_to_a_hundred(client: APIClient) -> None:
    handle = things.creator().handle

    assert sent(client).status_code == 400
    assert sent(client, *(visit(creator=handle) for _ in range(101))).status_code == 400
    assert stored(client, *(visit(creator=handle) for _ in range(100))) == 100


def test_who_is_not_signed_in_tells_nothing(in_school: Tenant) -> None:
    assert sent(APIClient(headers={"host": "school.localhost"}), visit(creator="ann")).status_code == 401
