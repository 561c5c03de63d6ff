"""Items that say nearly the same are found for a tenant, kept, and told to staff alone."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from catalog.models import Item
from kpplatform.jobs.running import run
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from recommender.models import AlikePair
from recommender.training import find_duplicates
from tests import make
from tests.catalog.things import creator, video

pytestmark = pytest.mark.usefixtures("_fresh_cache")
TITLE = "Ten knots that every sailor needs"


def clips(*titles: str) -> list[Item]:
    """Return videos by one creator each."""
    return [video(creator(), title=title, tags=["sailing"]) for title in titles]


def pairs() -> set[tuple[int, int]]:
    return set(AlikePair.objects.values_list("item_id", "other_id"))


def test_a_copy_by_another_creator_is_found_and_let_go_when_it_is_told_otherwise(in_school: Tenant) -> None:
    first, _bread, copy = clips(TITLE, "Bread without kneading", f"{TITLE}!")

    assert find_duplicates(tenant=in_school, at=timezone.now()) == 1
    assert pairs() == {(first.pk, copy.pk)}

    Item.objects.filter(pk=copy.pk).update(title="Mending a sail in the dark")
    assert find_duplicates(tenant=in_school, at=timezone.now()) == 0
    assert pairs() == set()


def test_the_other_tenants_items_are_not_compared(school: Tenant, agency: Tenant) -> None:
    for tenant in (school, agency):
        with scope(tenant):
            clips(TITLE)

    assert find_duplicates(tenant=school, at=timezone.now()) == 0


def test_an_empty_tenant_has_none(in_school: Tenant) -> None:
    assert find_duplicates(tenant=in_school, at=timezone.now()) == 0


def test_staff_are_told_the_most_alike_first(in_school: Tenant) -> None:
    first, copy, other = clips(TITLE, TITLE, f"{TITLE} today and")
    find_duplicates(tenant=in_school, at=timezone.now(), alike=0.5)
    staff = make.client(make.member(Member.Role.STAFF))

    every = staff.get("/api/v1/alike-items/").json()["results"]
    of_other = staff.get(f"/api/v1/alike-items/?item={other.pk}").json()["results"]
    same = staff.get("/api/v1/alike-items/?at_least=0.999").json()["results"]

    assert [(of["item"]["id"], of["other"]["id"]) for of in same] == [(first.pk, copy.pk)]
    assert every[0] == same[0]
    assert every[0]["item"]["creator"] == first.creator.handle
    assert len(every) == 3
    assert {of["other"]["id"] for of in of_other} == {other.pk}
    page = staff.get("/admin/recommender/alikepair/")
    assert page.status_code == 200
    assert TITLE in page.content.decode()


def test_a_longer_list_takes_no_more_queries(in_school: Tenant) -> None:
    staff = make.client(make.member(Member.Role.STAFF))

    def questions() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert staff.get("/api/v1/alike-items/").status_code == 200
        return len(captured)

    clips(*[TITLE] * 2)
    find_duplicates(tenant=in_school, at=timezone.now())
    questions()
    short = questions()
    clips(*[TITLE] * 4)
    find_duplicates(tenant=in_school, at=timezone.now())

    assert AlikePair.objects.count() == 15
    assert questions() == short


def test_a_worker_looks_when_staff_ask_and_viewers_may_not(in_school: Tenant, client: APIClient) -> None:
    clips(TITLE, TITLE)
    staff = make.client(make.member(Member.Role.STAFF))

    asked = staff.post("/api/v1/alike-items/find/")

    assert asked.status_code == 202
    assert run(tenant_id=in_school.pk, job_id=asked.json()["job"])
    assert AlikePair.objects.count() == 1
    assert client.get("/api/v1/alike-items/").status_code == 403
    assert client.post("/api/v1/alike-items/find/").status_code == 403
