"""What is published of views is what the code does: change a number and both change; bursts and replays pay nothing."""

from datetime import date, timedelta
from functools import partial
from uuid import uuid4

import pytest

from billing.ads import operations
from billing.ads.models import Flight, Offer
from billing.ads.operations import Told, token_of
from billing.ads.queries import ad_rules, qualified_views
from catalog.models import Watch
from creators.models import Creator
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing.ads import adverts
from tests.catalog import things
from tests.concurrency import at_once
from tests.conftest import COMMITTED, NOON

DAY = date(2026, 5, 1)


def qualified(creator: Creator, tenant: Tenant) -> int:
    return qualified_views(DAY, least_ms=ad_rules(tenant).qualified_ms).get(creator.pk, 0)


def watch(creator: Creator, *, ms: int, viewer: Member | None = None, times: int = 1, why: str = "") -> None:
    item = things.video(creator)
    for _ in range(times):
        told = {"event_id": uuid4(), "viewer": viewer or make.member(), "item": item, "watch_ms": ms, "quarantine": why}
        Watch.objects.create(**told, started_at=NOON, received_at=NOON, duration_ms=60_000)


def test_the_rule_is_told_with_the_numbers_that_decide(in_school: Tenant, viewer: Member) -> None:
    in_school.settings = {"ad_view_share": 0.8, "ad_view_ms": 3_000, "ad_qualified_ms": 7_000}
    in_school.save()
    adverts.live()
    creator = things.creator(make.member(Member.Role.CREATOR))
    (placed,) = adverts.shown(viewer)

    told = make.client(viewer).get("/api/v1/ad-rules/").json()

    assert told["viewable"].startswith("80% of the ad on the screen for 3 s")
    assert "watched for 7 s or to its end" in told["qualified_view"]
    seen = partial(Told, token_of(placed), "view")
    for share, ms in ((0.79, 3_000), (0.8, 2_999)):
        with pytest.raises(operations.NotViewable):
            operations.report_ad_event(viewer=viewer, told=seen(share, ms), at=NOON + timedelta(seconds=5))
    operations.report_ad_event(viewer=viewer, told=seen(0.8, 3_000), at=NOON + timedelta(seconds=5))
    for ms, counted in ((6_999, 0), (7_000, 1)):
        watch(creator, ms=ms)
        assert qualified(creator, in_school) == counted


def test_a_burst_of_a_program_and_a_replay_raise_no_paid_view(in_school: Tenant) -> None:
    creator, fan = things.creator(make.member(Member.Role.CREATOR)), make.member()
    watch(creator, ms=9_000, viewer=fan, times=50)
    watch(creator, ms=9_000, times=50, why=Watch.Quarantine.BOT)
    watch(creator, ms=9_000, viewer=creator.member)

    assert qualified(creator, in_school) == 1


@COMMITTED
@pytest.mark.slow
def test_of_two_hundred_requests_ten_are_offered_what_is_there_for_ten(school: Tenant) -> None:
    """The floor is half a minor unit a view: 5 are ten views."""
    clients, rounds = 25, 8
    with scope(school):
        flight = adverts.live()
        Flight.objects.update(ceiling=5_000_000)
        viewers = [make.member() for _ in range(clients)]

    offered: list[int] = []
    for number in range(rounds):
        asking = [partial(adverts.shown, viewer, session=f"{number}") for viewer in viewers]
        offered += map(len, at_once(school, asking))

    assert sum(offered) == 10
    with scope(school):
        flight.refresh_from_db()
        assert (flight.reserved, Offer.objects.count()) == (5_000_000, 10)
