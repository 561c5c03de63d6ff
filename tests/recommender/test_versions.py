"""What the tenant's staff can tell of its models."""

from rest_framework.test import APIClient

from kpplatform.jobs.models import Job
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.recommender import planted

MODELS = "/api/v1/models/"


def staff() -> APIClient:
    return make.client(make.member(Member.Role.STAFF))


def test_staff_see_the_versions_newest_first(in_school: Tenant) -> None:
    first, second = (planted.published(planted.tastes(planted.videos(1))) for _ in range(2))

    listed = staff().get(MODELS).json()["results"]

    assert [(version["id"], version["state"]) for version in listed] == [
        (second.pk, "published"),
        (first.pk, "retired"),
    ]
    assert staff().get(f"{MODELS}{first.pk}/").json()["reason"] == "planted"


def test_viewers_do_not(client: APIClient) -> None:
    assert client.get(MODELS).status_code == 403
    assert client.post(f"{MODELS}retrain/").status_code == 403
    assert not Job.objects.exists()


def test_another_tenants_versions_are_not_there(in_school: Tenant, agency: Tenant) -> None:
    ours = planted.published(planted.tastes(planted.videos(1)))
    with scope(agency):
        stranger = staff()

        assert stranger.get(MODELS).json()["results"] == []
        assert stranger.get(f"{MODELS}{ours.pk}/").status_code == 404


def test_a_training_is_asked_for_once_while_it_waits(in_school: Tenant) -> None:
    asked = [staff().post(f"{MODELS}retrain/") for _ in range(2)]

    assert [answer.status_code for answer in asked] == [202, 202]
    assert Job.objects.get().pk == asked[0].json()["job"]
    assert asked[1].json()["job"] is None
