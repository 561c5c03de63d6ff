"""32 clients at once: no budget, no cap is passed, and nothing is billed twice."""

import threading
import time
from functools import partial
from typing import Any

import pytest
from django.db import connection

from billing.ads import operations
from billing.ads.models import ChanceModel, Flight, Offer
from billing.ads.operations import Caps, Told, token_of
from billing.ads.operations.placing import LIFE
from billing.ads.serving.live import forget
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing.ads import adverts
from tests.catalog import things
from tests.concurrency import at_once
from tests.conftest import COMMITTED, NOON

CLIENTS = 32
MODEL = {"offset": 0, "slope": 1, "taste": 4, "everyone": 0.01, "views": 1, "judged_views": 1, "fitted_at": NOON}
pytestmark = [COMMITTED, pytest.mark.slow]


def offered(viewer: Member, session: str) -> list[Any]:
    return adverts.shown(viewer, session=session)


def test_a_budget_for_five_views_is_five_views(school: Tenant) -> None:
    """The floor is half a minor unit a view: 2.5 are five views."""
    with scope(school):
        flight = adverts.live()
        Flight.objects.update(ceiling=2_500_000)
        viewers = [make.member() for _ in range(CLIENTS)]

    ends = at_once(school, [partial(offered, viewer, "s") for viewer in viewers])

    assert sorted(map(len, ends)) == [0] * (CLIENTS - 5) + [1] * 5
    with scope(school):
        flight.refresh_from_db()
        assert flight.reserved == 2_500_000


def test_a_viewer_with_many_windows_sees_it_three_times(school: Tenant) -> None:
    with scope(school):
        adverts.live(caps=Caps(per_day=3, per_session=2, per_viewer=3))
        viewer = make.member()

    ends = at_once(school, [partial(offered, viewer, f"window {number}") for number in range(CLIENTS)])

    assert sum(map(len, ends)) == 3
    with scope(school):
        assert Offer.objects.count() == 3


def test_a_view_told_by_all_at_once_is_billed_once(school: Tenant) -> None:
    with scope(school):
        flight = adverts.live()
        viewer = make.member()
        (placed,) = adverts.shown(viewer)

    at = placed.offer.expires_at - LIFE / 2
    at_once(school, [partial(adverts.told, viewer, placed, at) for _ in range(CLIENTS)])

    with scope(school):
        flight.refresh_from_db()
        assert (flight.reserved, flight.spent) == (0, 500_000)


def test_pages_that_want_the_same_flights_in_another_order_wait_for_no_ring(school: Tenant) -> None:
    """Two ads a page; who likes pianos has them the one way round, who likes cooking the other."""
    with scope(school):
        likes = [things.topic(slug) for slug in ("piano", "cooking")]
        for topic in likes:
            adverts.live(creative={"topic": topic}, pays_for="click", bid=2_000)
        ChanceModel.objects.create(**MODEL)
        forget()
        viewers = [make.member() for _ in range(CLIENTS)]

    def page(number: int) -> list[Any]:
        tastes = {topic.slug: float(place == number % 2) or 0.2 for place, topic in enumerate(likes)}
        return adverts.shown(viewers[number], size=12, tastes=tastes)

    ends = at_once(school, [partial(page, number) for number in range(CLIENTS)])

    assert [len(end) for end in ends] == [2] * CLIENTS


def test_an_offer_that_waited_while_its_campaign_ended_is_none(school: Tenant) -> None:
    """It has read that the campaign lives, and waits for the flight that the end holds."""
    with scope(school):
        flight = adverts.live()
        viewer = make.member()
    results: list[Any] = []

    def late() -> None:
        with scope(school):
            results.append(adverts.shown(viewer))
        connection.close()

    waiting = threading.Thread(target=late)
    with scope(school):
        Flight.objects.select_for_update(no_key=True).get(pk=flight.pk)
        waiting.start()
        until_somebody_waits()
        operations.end_campaign(campaign=flight.campaign, by=None, at=NOON)
        assert operations.give_back_next(at=NOON) == 1
    waiting.join(timeout=30)

    assert results == [[]]


def until_somebody_waits() -> None:
    with connection.cursor() as cursor:
        for _ in range(500):
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
            time.sleep(0.02)
    raise AssertionError("nobody waits")


def test_events_of_the_same_flights_in_another_order_wait_for_no_ring(school: Tenant) -> None:
    with scope(school):
        for _ in range(2):
            adverts.live()
        told = []
        for number in range(CLIENTS):
            viewer = make.member()
            seen = [Told(token_of(placed), "view", 1.0, 5_000) for placed in adverts.shown(viewer, size=12)]
            assert len(seen) == 2
            told.append((viewer, seen if number % 2 else seen[::-1]))

    at = NOON + LIFE / 2
    ends = at_once(
        school, [partial(operations.report_ad_events, viewer=viewer, told=seen, at=at) for viewer, seen in told]
    )

    assert [[offer.billed_at for offer in end] for end in ends] == [[at, at]] * CLIENTS
