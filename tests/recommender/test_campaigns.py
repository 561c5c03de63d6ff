"""A campaign reaches some of those whom it is for, holds some out, and tells what that brought."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from catalog.models import Watch
from kpplatform.tenancy.models import Member, Tenant
from recommender.models import Addressee, Campaign, Portrait, PortraitRun, Segment
from recommender.operations import close_personalisation
from tests import make
from tests.recommender import planted
from tests.recommender.portrayed import members

pytestmark = pytest.mark.usefixtures("_fresh_cache")

CAMPAIGNS = "/api/v1/campaigns/"


@pytest.fixture
def staff(in_school: Tenant) -> APIClient:
    return make.client(make.member(Member.Role.STAFF))


def portrayed(count: int, *, segment: Segment | None = None, churn: float = 0.5) -> list[Member]:
    """Return viewers with portraits."""
    now = timezone.now()
    run = PortraitRun.objects.create(at=now, finished_at=now, half_life_days=30)
    columns = ("interests", "active_hours", "next_topics", "next_items", "next_hours")
    empty: dict[str, Any] = {column: [] for column in columns}
    seen = {"first_seen_at": now, "last_seen_at": now, "updated_at": now, "vector": b"", "events": 1}
    found = members(count)
    Portrait.objects.bulk_create(
        Portrait(viewer=viewer, run=run, segment=segment, churn=churn, **empty, **seen) for viewer in found
    )
    return found


def group(label: int) -> Segment:
    run = PortraitRun.objects.create(at=timezone.now(), half_life_days=30)
    return Segment.objects.create(label=label, run=run)


def begun(staff: APIClient, **said: Any) -> dict[str, Any]:
    answer = staff.post(CAMPAIGNS, {"name": "back", "message": "Come back!"} | said, "json")
    assert answer.status_code == 201, answer.content
    campaign: dict[str, Any] = answer.json()
    return campaign


def reached(staff: APIClient, campaign: dict[str, Any]) -> list[int]:
    listed = staff.get(f"{CAMPAIGNS}{campaign['id']}/viewers/?limit=100").json()["results"]
    return [of["viewer"] for of in listed]


def test_what_the_reached_do_more_is_found(staff: APIClient) -> None:
    everybody = portrayed(600)
    [item] = planted.videos(1)
    campaign = begun(staff, least_churn=0.4, held_out=0.5)
    held_out = set(Addressee.objects.filter(is_held_out=True).values_list("viewer_id", flat=True))
    assert (campaign["reached"], campaign["spared"]) == (600 - len(held_out), len(held_out))
    at = timezone.now()
    Watch.objects.bulk_create(  # the reached watch two minutes, or three; the held-out one, or two
        Watch(
            event_id=uuid.uuid4(),
            viewer=viewer,
            item=item,
            started_at=at,
            received_at=at,
            watch_ms=60_000 * (1 + number % 2 + (viewer.pk not in held_out)),
            duration_ms=600_000,
        )
        for number, viewer in enumerate(everybody)
    )

    told = staff.get(f"{CAMPAIGNS}{campaign['id']}/uplift/").json()

    assert told["viewers"] == {"held out": campaign["spared"], "reached": campaign["reached"]}
    assert told["dealt_fairly"] is True
    minutes = told["differences"]["reached"]["watch_minutes"]
    assert minutes["low"] < 1 < minutes["high"]
    assert minutes["low"] > 0.5
    assert told["differences"]["reached"]["orders"]["mean"] == told["differences"]["reached"]["paid"]["mean"] == 0
    Campaign.objects.update(begun_at=at - timedelta(days=15))
    late = staff.get(f"{CAMPAIGNS}{campaign['id']}/uplift/").json()
    assert late["means"]["reached"]["watch_minutes"] == 0, "What comes after its days does not count."


def test_of_few_who_were_held_out_nothing_is_told(staff: APIClient) -> None:
    """The mean of one is what that one did."""
    portrayed(70)
    campaign = begun(staff, least_churn=0.0, held_out=0.12)

    told = staff.get(f"{CAMPAIGNS}{campaign['id']}/uplift/").json()

    assert 0 < told["viewers"]["held out"] < 20
    assert set(told["means"]["held out"].values()) == {None}
    assert told["means"]["reached"]["watch_minutes"] == 0


def test_it_is_for_a_segment_and_for_who_may_leave(staff: APIClient) -> None:
    leaving = portrayed(40, segment=group(7), churn=0.9)
    portrayed(30, segment=Segment.objects.get(), churn=0.1)
    portrayed(30, churn=0.9)

    campaign = begun(staff, segment=7, least_churn=0.8, held_out=0.25)

    dealt = {of.viewer_id: of.is_held_out for of in Addressee.objects.all()}
    assert set(dealt) == {viewer.pk for viewer in leaving}
    assert 0 < campaign["spared"] < 20
    assert reached(staff, campaign) == sorted(viewer for viewer, is_held_out in dealt.items() if not is_held_out)
    assert [of["segment"] for of in staff.get(CAMPAIGNS).json()["results"]] == [7]


def test_who_closes_personalisation_is_not_reached(staff: APIClient) -> None:
    first, *_ = portrayed(30)
    close_personalisation(viewer=first, at=timezone.now())
    campaign = begun(staff, least_churn=0.0, held_out=0.01)
    assert not Addressee.objects.filter(viewer=first).exists()
    told = reached(staff, campaign)

    close_personalisation(viewer=Member.objects.get(pk=told[0]), at=timezone.now())

    assert reached(staff, campaign) == told[1:]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({}, "no_such_segment"),
        ({"segment": 9}, "no_such_segment"),
        ({"least_churn": 0.95}, "for_nobody"),
        ({"least_churn": 0.4, "name": "taken"}, "campaign_name_taken"),
        ({"least_churn": 0.4, "held_out": 0}, "invalid"),
        ({"least_churn": 2}, "invalid"),
    ],
)
def test_what_cannot_be_is_refused(staff: APIClient, said: dict[str, Any], code: str) -> None:
    portrayed(25, churn=0.5)
    portrayed(19, churn=0.99)
    begun(staff, name="taken", least_churn=0.4)

    refused = staff.post(CAMPAIGNS, {"name": "back", "message": "Come back!"} | said, "json")

    assert refused.json()["code"] == code
    assert Campaign.objects.count() == 1


def test_viewers_and_creators_see_no_campaign(staff: APIClient, client: APIClient) -> None:
    portrayed(25)
    campaign = begun(staff, least_churn=0.4)

    for path in ("", f"{campaign['id']}/", f"{campaign['id']}/viewers/", f"{campaign['id']}/uplift/"):
        assert client.get(f"{CAMPAIGNS}{path}").status_code == 403, path
    assert client.post(CAMPAIGNS, {"name": "x", "message": "x", "least_churn": 0.1}, "json").status_code == 403


def test_whom_to_reach_asks_no_question_per_row(staff: APIClient) -> None:
    def asked(count: int, name: str) -> int:
        portrayed(count, segment=group(count))
        campaign = begun(staff, name=name, segment=count)
        with CaptureQueriesContext(connection) as questions:
            assert len(reached(staff, campaign)) == campaign["reached"]
        return len(questions)

    asked(20, "warm")
    assert asked(21, "few") == asked(40, "many")
