"""32 clients at once: no budget, no cap is passed, and nothing is billed twice."""

from functools import partial
from typing import Any

import pytest

from billing.ads.models import Flight, Offer
from billing.ads.operations import Caps
from billing.ads.operations.placing import LIFE
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing.ads import adverts
from tests.concurrency import at_once
from tests.conftest import COMMITTED

CLIENTS = 32
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
