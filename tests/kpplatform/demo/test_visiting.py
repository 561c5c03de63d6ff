"""The demo's looks lead to what its viewers did, its days are counted, and it has a campaign."""

from datetime import timedelta

import pytest

from creators import operations as creators
from kpplatform.demo import visiting
from kpplatform.demo.recalling import AGO, NAME, campaign
from kpplatform.metrics import queries
from kpplatform.metrics.models import CountedDay, Visit
from kpplatform.metrics.queries import Span
from kpplatform.tenancy.models import Member, Tenant
from recommender.models import Campaign, Notice
from tests import make
from tests.billing import shop
from tests.catalog import things
from tests.conftest import NOON
from tests.metrics.happened import DAY, watch
from tests.recommender.portrayed import members


def test_who_follows_or_buys_has_looked_before_and_days_are_counted(
    in_school: Tenant, viewer: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visiting, "EVERY", 1)
    course = shop.course_for(10_000)
    creators.follow(viewer=viewer, creator=course.creator, at=NOON)
    shop.bought(viewer, course)
    for after in range(3):
        watch(viewer, course, at=NOON + timedelta(hours=after, days=1))
    shown: list[float] = []

    for _ in range(2):
        visiting.visit()
    visiting.count(tenant=in_school, at=NOON + timedelta(days=2), progress=shown.append)

    assert Visit.objects.filter(visited_at__lt=NOON).count() == 2
    assert Visit.objects.filter(page=Visit.Page.PROFILE).count() == 4
    assert Visit.objects.filter(item=course).count() == 2
    assert shown == [1 / 2, 1]
    assert CountedDay.objects.count() == 2
    assert queries.totals(["plays", "profile_visits"], Span(DAY, DAY + timedelta(days=2))) == {
        "plays": 3,
        "profile_visits": 3,
    }


def test_who_had_stayed_away_was_told_to_come_back(in_school: Tenant) -> None:
    at = NOON + timedelta(days=30)
    make.member(Member.Role.ADMIN)
    away = members(30)
    video = things.video(things.creator(make.member(Member.Role.CREATOR)))
    watch(make.member(), video, at=at - timedelta(days=AGO, hours=1))

    campaign(tenant=in_school, at=at)

    begun = Campaign.objects.get(name=NAME)
    assert begun.reached + begun.spared == len(away)
    assert Notice.objects.filter(campaign=begun).count() == begun.reached
    assert begun.figures["viewers"] == {"reached": begun.reached, "held out": begun.spared}


def test_where_too_few_stay_away_there_is_no_campaign(in_school: Tenant) -> None:
    make.member(Member.Role.ADMIN)

    campaign(tenant=in_school, at=NOON)

    assert not Campaign.objects.exists()
