"""A tenant says what counts how much as taste: within bounds, with a journal, and the next training learns by it."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.places import tenant_folder
from kpplatform.tenancy.scope import scope
from recommender import operations, queries
from recommender.ml.signals import WEIGHTS
from recommender.models import ModelVersion, RatingMapping
from recommender.models.ratings import WEIGHED
from recommender.serving import artefacts
from recommender.serving.bundle import retrieval
from recommender.training import retrain
from recommender.training.reading import everything, read
from tests import make
from tests.conftest import NOON
from tests.recommender import planted

RATINGS = "/api/v1/ratings/"
USUAL = {name: WEIGHTS[name] for name in WEIGHED}

pytestmark = pytest.mark.usefixtures("_fresh_cache")


@pytest.fixture
def staff(in_school: Tenant) -> APIClient:
    return make.client(make.member(Member.Role.STAFF))


def test_without_a_word_the_usual_weights_hold(staff: APIClient) -> None:
    assert staff.get(RATINGS).json() == USUAL


def test_what_is_changed_holds_and_what_held_before_is_kept(staff: APIClient) -> None:
    staff.patch(RATINGS, {"like": 8, "why": "likes are rare here"}, format="json")
    answer = staff.patch(RATINGS, {"dislike": -6}, format="json")
    staff.patch(RATINGS, {"dislike": -6}, format="json")

    assert answer.status_code == 200, answer.content
    assert answer.json() == staff.get(RATINGS).json() == USUAL | {"like": 8, "dislike": -6}
    newest, first = staff.get(f"{RATINGS}changes/").json()["results"]
    assert (newest["like"], newest["dislike"], newest["why"]) == (8, -6, "")
    assert (first["like"], first["dislike"], first["why"]) == (8, WEIGHTS["dislike"], "likes are rare here")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"like": -1}, "like: min_value"),
        ({"dislike": 1}, "dislike: max_value"),
        ({"skip": 0.5}, "skip: max_value"),
        ({"share": 21}, "share: max_value"),
        (dict.fromkeys(["watch", "ratio", "complete", "like", "share"], 0), "nothing_counts"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_code(staff: APIClient, sent: dict[str, Any], code: str) -> None:
    answer = staff.patch(RATINGS, sent, format="json")

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_ratings")
    assert code in answer.json()["detail"]
    assert not RatingMapping.objects.exists()


def test_what_is_no_number_or_no_signal_is_refused(staff: APIClient) -> None:
    for sent in ({"like": "much"}, {"love": 1}):
        assert staff.patch(RATINGS, sent, format="json").status_code == 400


def test_only_the_tenants_staff_say_what_counts_and_for_it_alone(
    client: APIClient, staff: APIClient, agency: Tenant
) -> None:
    assert client.get(RATINGS).status_code == 403
    assert client.patch(RATINGS, {"like": 8}, format="json").status_code == 403
    assert client.get(f"{RATINGS}changes/").status_code == 403

    staff.patch(RATINGS, {"like": 8}, format="json")

    with scope(agency):
        assert queries.ratings().weights == WEIGHTS


def test_a_journal_of_any_length_takes_the_same_queries(staff: APIClient) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            staff.get(f"{RATINGS}changes/")
        return len(captured)

    staff.patch(RATINGS, {"like": 8}, format="json")
    asked()
    one = asked()
    for like in range(3):
        staff.patch(RATINGS, {"like": like}, format="json")

    assert asked() == one


def test_events_are_rated_by_it_and_by_another_one_everything_is_read_anew(viewer: Member) -> None:
    item, other = planted.videos(2)
    planted.react(viewer, item)
    planted.react(viewer, other, "not_interested")
    now = timezone.now()
    before, _ = read(until=now, in_full=False)

    change({"like": 8, "dislike": -6})
    data, snapshot = read(until=now, in_full=False)

    assert sorted(before.weight.tolist()) == [WEIGHTS["dislike"], WEIGHTS["like"]]
    assert sorted(data.weight.tolist()) == sorted(everything(until=now).weight.tolist()) == [-6, 8]
    assert snapshot.in_full_at == now


def test_a_version_tells_what_it_was_learned_by_and_is_served_by_that(viewer: Member, in_school: Tenant) -> None:
    piano, _cooking = planted.busy_world()
    mapping = change({"complete": 5, "like": 7})

    retrain(tenant=in_school, at=timezone.now())
    change({"like": 1})

    version = ModelVersion.objects.order_by("-pk")[0]
    assert version.state == "published"
    assert version.recipe["ratings"]["mapping"] == mapping.pk
    assert version.recipe["ratings"]["weights"] == {**WEIGHTS, "complete": 5, "like": 7}
    planted.react(viewer, piano[0])
    served = queries.shelf(at=timezone.now()).served
    assert served is not None
    past = queries.past(viewer, started=timezone.now(), at=timezone.now())
    assert past.history.weight.tolist() == [WEIGHTS["like"]]
    assert past.rated(served.bundle.ratings).history.weight.tolist() == [7]


def test_a_version_from_before_counts_as_usual(in_school: Tenant) -> None:
    folder = tenant_folder("models", "old")
    artefacts.store({retrieval("planted"): planted.tastes(planted.videos(2))}, folder, tenant_id=in_school.pk)
    manifest = folder / artefacts.MANIFEST
    manifest.write_text(manifest.read_text().split(', "ratings"')[0] + "}")

    bundle = artefacts.load(folder, artefacts.seal(folder), tenant_id=in_school.pk)

    assert bundle.ratings == WEIGHTS


def test_staff_change_it_in_the_console_beginning_with_what_holds(in_school: Tenant) -> None:
    change({"like": 8})
    staff = make.member(Member.Role.STAFF)
    browser = Client(headers={"host": "school.localhost", "accept-language": "zh-CN"})
    assert staff.user is not None
    browser.force_login(staff.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    address = reverse("admin:recommender_ratingmapping_add")

    form = browser.get(address)
    saved = browser.post(address, USUAL | {"like": "8", "share": "2", "why": "test"})

    assert b'value="8.0"' in form.content
    assert "它被点赞或收藏。" in form.content.decode()
    assert saved.status_code == 302, saved.content.decode()[:3000]
    assert queries.ratings().weights == {**WEIGHTS, "like": 8, "share": 2}
    assert browser.post(address, USUAL | {"like": "-8"}).status_code == 200
    assert RatingMapping.objects.count() == 2


def change(changes: dict[str, float]) -> RatingMapping:
    return operations.change_ratings(changes=changes, by=make.member(Member.Role.STAFF), at=NOON)
