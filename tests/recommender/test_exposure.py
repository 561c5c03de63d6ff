"""Who and what is seen is told day by day, by numbers that one can check in the head."""

import uuid
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from billing.queries import tenants_time
from catalog.models import Item, Topic
from creators.models import Creator
from kpplatform.metrics import operations as metrics
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from recommender.ml.metrics.beyond import gini
from recommender.models import Impression
from tests import make
from tests.recommender import planted

EXPOSURE = "/api/v1/exposure/"

pytestmark = pytest.mark.usefixtures("_fresh_cache")


@pytest.fixture
def staff(in_school: Tenant) -> APIClient:
    return make.client(make.member(Member.Role.STAFF))


def show(viewer: Member, *items: Item, source: str = "model", days_ago: int = 0) -> None:
    """Show the items on one page at noon of some day (UTC), or a moment ago."""
    at = timezone.now() - timedelta(days=days_ago)
    page = uuid.uuid4()
    Impression.objects.bulk_create(
        Impression(viewer=viewer, item=item, page=page, position=place, propensity=1, source=source, shown_at=at)
        for place, item in enumerate(items)
    )


def told(staff: APIClient, **asked: Any) -> list[dict[str, Any]]:
    answer = staff.get(EXPOSURE, asked)
    assert answer.status_code == 200, answer.content
    days: list[dict[str, Any]] = answer.json()["results"]
    return days


def test_places_are_shared_out_as_one_counts_them(staff: APIClient, viewer: Member) -> None:
    a, b, c, _never_shown = planted.videos(4)
    for slug, items in (("music", [a, b]), ("food", [c])):
        topic = Topic.objects.create(slug=slug, name_zh=slug, name_en=slug)
        Item.objects.filter(pk__in=[item.pk for item in items]).update(topic=topic)
    Creator.objects.filter(pk=a.creator_id).update(created_at=timezone.now() - timedelta(days=31), followers=100)
    Creator.objects.filter(pk=b.creator_id).update(followers=99)
    show(viewer, a, c)
    show(viewer, a, source="explored")
    show(viewer, a, b, source="fresh")

    [day] = told(staff)

    assert {name: day[name] for name in ("places", "items", "explored", "new_creators", "small_creators")} == {
        "places": 5,
        "items": 3,
        "explored": 0.6,
        "new_creators": 0.4,
        "small_creators": 0.4,
    }
    assert day["topics_a_page"] == pytest.approx((2 + 1 + 1) / 3)
    assert day["topic_bits"] == pytest.approx(-(0.8 * np.log2(0.8) + 0.2 * np.log2(0.2)))
    assert day["gini"] == pytest.approx(gini(np.array([3, 1, 1, 0])))


def test_each_day_is_told_by_itself_and_the_latest_first(staff: APIClient, viewer: Member) -> None:
    items = planted.videos(3)
    show(viewer, *items)
    show(viewer, items[0], days_ago=1)
    show(viewer, items[0], days_ago=8)

    assert [day["places"] for day in told(staff, days=2)] == [3, 1]
    assert [day["places"] for day in told(staff, days=9)] == [3, 1, 1]
    assert told(staff)[0]["gini"] == 0  # all alike


def test_one_tenant_is_told_of_its_own_alone(staff: APIClient, agency: Tenant) -> None:
    with scope(agency):
        show(make.member(), *planted.videos(2))

    assert told(staff) == []


def test_viewers_are_not_told(client: APIClient) -> None:
    assert client.get(EXPOSURE).status_code == 403


def test_staff_see_it_on_the_consoles_first_page(in_school: Tenant, viewer: Member) -> None:
    show(viewer, *planted.videos(2), source="explored")
    staff = make.member(Member.Role.STAFF)
    client = Client(headers={"host": "school.localhost", "accept-language": "zh-CN"})
    assert staff.user is not None
    client.force_login(staff.user, backend="allauth.account.auth_backends.AuthenticationBackend")

    metrics.count_day(day=tenants_time(timezone.now()).date(), at=timezone.now())
    page = client.get("/admin/").content.decode()

    assert "推荐流中谁和什么被看到" in page
    assert "100.0%" in page
