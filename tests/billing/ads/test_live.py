"""What competes, as this process knows it."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from billing.ads import operations, tasks
from billing.ads.models import Campaign, CampaignChange, Flight, PlaceCount
from billing.ads.serving import live as serving
from billing.ads.tasks import run_ads
from billing.models import Journal
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing.ads import adverts
from tests.conftest import COMMITTED, NOON


def test_a_draft_is_no_reason_to_read_all_again(in_school: Tenant) -> None:
    adverts.live()
    known = serving.live()

    adverts.flight()

    assert serving._refreshed(known).board is known.board


def test_a_change_that_is_written_down_late_is_noticed(in_school: Tenant) -> None:
    """Its number is lower than that of another one that was committed before it."""
    flight = adverts.live()
    CampaignChange.objects.create(pk=10**9, campaign=flight.campaign, what="live", changed_at=NOON)
    known = serving._refreshed(serving.live())
    assert len(known) == 1

    operations.pause_campaign(campaign=flight.campaign, by=make.member(Member.Role.STAFF), at=NOON)

    assert len(serving._refreshed(known)) == 0


def test_what_has_nothing_left_is_closed_at_the_next_look(in_school: Tenant) -> None:
    flights = [adverts.live() for _ in range(3)]
    known = serving.live()
    assert known.is_open.tolist() == [True, True, True]
    Flight.objects.filter(pk=flights[0].pk).update(ceiling=0)
    Flight.objects.filter(pk=flights[2].pk).update(tonight=0, pace=0.5)
    Campaign.objects.filter(pk=flights[1].campaign_id).update(state="paused")

    found = serving._refreshed(known)

    assert found.is_open.tolist() == [False, False, False]
    assert found.pace.tolist()[2] == 0.5


@COMMITTED
def test_what_is_stale_is_read_behind_the_request(school: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    with scope(school):
        adverts.live()
        first = serving.live()
    monkeypatch.setattr(serving, "STALE_S", 0.0)
    with scope(school):
        Flight.objects.update(pace=0.25)

    with scope(school):
        assert serving.live() is first

    for _ in range(500):
        if serving._kept[school.pk] is not first:
            break
        time.sleep(0.02)
    while [each for each in threading.enumerate() if each.name.startswith("ads of")]:
        time.sleep(0.02)
    assert serving._kept[school.pk].pace.tolist() == [0.25]


@COMMITTED
def test_flights_do_not_wait_for_their_pace_until_all_is_tidied(
    school: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of three old days two are folded at a time, after the flights were paced."""
    with scope(school):
        for days in range(3):
            told = {"day": NOON.date() - timedelta(days=days), "hour": 12, "placement": "feed", "outcome": "filled"}
            PlaceCount.objects.create(**told, shard=7, places=1)
    done: list[str] = []

    def noted(name: str, do: Callable[..., Any], **told: Any) -> Any:
        done.append(name)
        return do(**told)

    for name in ("fold_next", "pace_next"):
        monkeypatch.setattr(operations, name, partial(noted, name, getattr(operations, name)))
    monkeypatch.setattr(tasks, "TIDIED", 2)

    run_ads(tenant=school)

    assert done == ["pace_next", "fold_next", "fold_next"]
    with scope(school):
        assert PlaceCount.objects.filter(shard=7).count() == 1


@COMMITTED
def test_a_step_that_fails_keeps_no_other_back(school: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be charged; the flights are paced all the same, and the job says that it failed."""
    with scope(school):
        flight = adverts.live(is_even=True)
        Flight.objects.update(spent=1_000_000, starts_at=NOON, ends_at=NOON + timedelta(days=3_000))
        Campaign.objects.update(ends_at=NOON + timedelta(days=3_000))

    def broken(**_: Any) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(operations, "charge_next", broken)
    with pytest.raises(ExceptionGroup):
        run_ads(tenant=school)

    with scope(school):
        flight.refresh_from_db()
        assert flight.looked_at is not None
        assert flight.looked_at > NOON
        assert not Journal.objects.filter(kind="ad_charge").exists()
