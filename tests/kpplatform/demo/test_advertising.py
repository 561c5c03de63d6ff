"""Pages about ads show something in the demo: campaigns that run, what was seen, held, charged and shared."""

from datetime import timedelta
from uuid import uuid4

import pytest

from billing.ads.models import Campaign, Charge, Creative, Offer, Share
from billing.operations import verify_ledger
from catalog.models import Watch
from kpplatform.demo.advertising import DAYS, advertise
from kpplatform.tenancy.models import Member
from tests import make
from tests.catalog import things
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("in_school")
MIDNIGHT = NOON.replace(hour=0)


def test_ads_of_each_form_were_seen_for_some_days() -> None:
    creator = things.creator(make.member(Member.Role.CREATOR))
    make.member(Member.Role.ADMIN)
    viewers = [make.member() for _ in range(20)]
    videos = [things.video(creator) for _ in range(20)]
    for day in range(1, DAYS + 2):
        at = MIDNIGHT - timedelta(days=day) + timedelta(hours=1)
        watch = {"event_id": uuid4(), "viewer": viewers[0], "item": videos[0], "received_at": at}
        Watch.objects.create(**watch, started_at=at, watch_ms=9_000, duration_ms=60_000)

    advertise(ends_at=MIDNIGHT)

    live = Campaign.objects.filter(state=Campaign.State.LIVE)
    assert set(live.values_list("tier", flat=True)) == set(Campaign.Tier)
    assert set(Creative.objects.filter(state="approved").values_list("format", flat=True)) == set(Creative.Format)
    assert Offer.objects.exclude(odd="").filter(decided_at=None).exists()
    assert Offer.objects.filter(viewed_at__gt=MIDNIGHT - timedelta(days=1)).exists()
    assert Charge.objects.values("day").distinct().count() >= DAYS - 1
    assert sum(Share.objects.filter(creator=creator).values_list("amount", flat=True)) > 0
    verify_ledger()


def test_where_nobody_is_nothing_is_advertised() -> None:
    advertise(ends_at=MIDNIGHT)

    assert not Campaign.objects.exists()
