"""What every endpoint does with bad requests, repeated requests, too many requests, and our own bugs."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import orjson
import pytest
import redis
from django.db import connections
from django.utils import timezone
from redis.backoff import NoBackoff
from redis.retry import Retry
from rest_framework.test import APIClient

from kpplatform.rest import health, keyed, throttles
from kpplatform.rest.models import KeyedRequest
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.conftest import COMMITTED

NOTES = "/api/v1/notes/"


@pytest.fixture(autouse=True)
def _notes(settings: Any, _fresh_cache: None) -> None:
    settings.ROOT_URLCONF = "tests.kpplatform.views_for_tests"


@pytest.fixture
def client(viewer: Member) -> APIClient:
    """A client that is answered what our bugs look like from outside, instead of the exception."""
    asked = make.client(viewer)
    asked.raise_request_exception = False
    return asked


def said(answer: Any) -> tuple[int, str]:
    """Return status and code, and see that it is a whole problem document."""
    assert answer["Content-Type"] == "application/problem+json"
    body = orjson.loads(answer.content)
    assert body.keys() >= {"type", "title", "status", "code", "detail"}
    assert body["status"] == answer.status_code
    return answer.status_code, body["code"]


def noted() -> int:
    return Member.objects.filter(user=None).count()


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("{", (400, "malformed_json")),
        ('{"name": NaN}', (400, "malformed_json")),
        (b'{"name": "\xff"}', (400, "malformed_json")),
        ("[" * 5_000, (400, "malformed_json")),
        ('["name"]', (400, "invalid")),
        ("null", (400, "invalid")),
        ("7", (400, "invalid")),
        ("{}", (400, "invalid")),
        ('{"name": {"first": "x"}}', (400, "invalid")),
        ('{"name": "\\u0000"}', (400, "invalid")),
        ('{"name": "x", "count": -1}', (400, "invalid")),
        ('{"name": "x", "count": 1e400}', (400, "malformed_json")),
        ('{"name": "x", "count": 99999999999999999999999}', (400, "invalid")),
        ('{"name": "x", "colour": "red"}', (400, "invalid")),
        ('{"name": "' + "x" * 3_000_000 + '"}', (413, "too_large")),
    ],
)
def test_a_bad_body_is_a_problem_and_writes_nothing(
    body: str | bytes, problem: tuple[int, str], client: APIClient
) -> None:
    assert said(client.post(NOTES, body, content_type="application/json")) == problem
    assert said(client.post(NOTES, body, content_type="application/json", headers={"Idempotency-Key": "k"})) == problem
    assert noted() == KeyedRequest.objects.count() == 0


def test_an_unknown_field_is_named(client: APIClient) -> None:
    assert client.post(NOTES, {"name": "x", "colour": "red"}).json()["fields"] == {
        "colour": ["There is no such field."]
    }


def test_every_kind_of_misunderstanding_is_a_problem(client: APIClient, in_school: Tenant) -> None:
    assert said(client.post(NOTES, "name=x", content_type="text/plain")) == (415, "unsupported_media_type")
    assert said(client.put(NOTES, {})) == (405, "method_not_allowed")
    assert said(client.get(NOTES, headers={"accept": "image/png"})) == (406, "not_acceptable")
    assert said(client.get("/api/v1/nothing/")) == (404, "unknown_path")
    assert said(client.get("/api/v1/no\0thing/")) == (404, "unknown_path")
    assert said(client.get(NOTES, headers={"host": "bad host"})) == (400, "bad_request")
    assert said(client.get(NOTES, headers={"host": "nowhere.example"})) == (404, "unknown_host")
    assert said(APIClient(headers={"host": "school.localhost"}).get(NOTES)) == (401, "not_authenticated")


def test_the_installations_own_hosts_have_no_members(school: Tenant) -> None:
    with scope(school):
        asked = make.client(make.member())

    assert said(asked.get(NOTES, headers={"host": "localhost"})) == (404, "unknown_host")


def test_a_host_is_known_in_any_case_with_a_port_and_a_dot(client: APIClient) -> None:
    for host in ("SCHOOL.localhost", "school.localhost:8000", "school.localhost."):
        assert client.get(NOTES, headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    ("path", "problem"),
    [("refused", (402, "too_poor")), ("broken", (500, "bug"))],
)
def test_what_is_refused_or_breaks_leaves_nothing_behind(
    path: str, problem: tuple[int, str], client: APIClient
) -> None:
    asked = {"name": "half"}

    assert said(client.post(NOTES + path, asked)) == problem
    assert said(client.post(NOTES + path, asked, headers={"Idempotency-Key": "k"})) == problem

    assert noted() == KeyedRequest.objects.count() == 0
    assert client.get(NOTES).status_code == 200, "The next request is served as if nothing had been."


def test_an_answer_that_says_no_leaves_nothing_behind_either(client: APIClient) -> None:
    assert client.post(NOTES + "conflict", {"name": "half"}).status_code == 409

    assert noted() == 0


def test_a_write_sent_again_with_its_key_is_answered_again(client: APIClient) -> None:
    first, again = (client.post(NOTES, {"name": "x"}, headers={"Idempotency-Key": "k"}) for _ in range(2))

    assert (first.status_code, first.headers.get("Idempotent-Replayed")) == (201, None)
    assert (again.status_code, again.headers.get("Idempotent-Replayed")) == (201, "true")
    assert again.json() == first.json()
    assert noted() == 1


def test_a_key_belongs_to_one_request_of_one_member(client: APIClient, viewer: Member) -> None:
    client.post(NOTES, {"name": "x"}, headers={"Idempotency-Key": "k"})

    assert said(client.post(NOTES, {"name": "y"}, headers={"Idempotency-Key": "k"})) == (409, "idempotency_key_reused")
    assert said(client.post(NOTES + "refused", {"name": "x"}, headers={"Idempotency-Key": "k"}))[0] == 409
    assert make.client(make.member()).post(NOTES, {"name": "y"}, headers={"Idempotency-Key": "k"}).status_code == 201
    assert noted() == 2


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb"])
def test_a_key_that_makes_no_sense_is_refused(key: str, client: APIClient) -> None:
    assert said(client.post(NOTES, {"name": "x"}, headers={"Idempotency-Key": key})) == (400, "bad_idempotency_key")


@COMMITTED
def test_two_at_the_same_time_with_one_key_do_it_once(school: Tenant) -> None:
    with scope(school):
        clients = [make.client(member) for member in [make.member()] * 4]
    ready = Barrier(4)

    def send(client: APIClient) -> tuple[int, Any, str | None]:
        ready.wait()
        try:
            answer = client.post(NOTES, {"name": "x"}, headers={"Idempotency-Key": "k"})
            return answer.status_code, answer.json(), answer.headers.get("Idempotent-Replayed")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, clients))

    assert sorted(str(replayed) for *_, replayed in answers) == ["None", "true", "true", "true"]
    assert len({str(answer[:2]) for answer in answers}) == 1
    with scope(school):
        assert noted() == 1


def test_old_keys_are_forgotten(client: APIClient) -> None:
    for key in ("old", "new"):
        client.post(NOTES, {"name": key}, headers={"Idempotency-Key": key})
    at = timezone.now()
    KeyedRequest.objects.filter(key="old").update(asked_at=at - keyed.KEPT - timedelta(hours=1))

    assert keyed.purge(at=at) == 1
    assert KeyedRequest.objects.get().key == "new"


@pytest.mark.parametrize("limit", ["THROTTLE_MEMBER", "THROTTLE_TENANT"])
def test_too_many_requests_are_told_when_to_come_back(limit: str, client: APIClient, settings: Any) -> None:
    setattr(settings, limit, 3)

    # Twice the limit and one: the minute may turn in between.
    answers = [client.get(NOTES) for _ in range(7)]

    refused = next(answer for answer in answers if answer.status_code == 429)
    assert said(refused) == (429, "throttled")
    assert 0 < int(refused["Retry-After"]) <= 60


def test_one_member_crowds_out_no_other_and_one_tenant_no_other(client: APIClient, settings: Any) -> None:
    settings.THROTTLE_MEMBER = 3
    for _ in range(7):
        client.get(NOTES)

    assert make.client(make.member()).get(NOTES).status_code == 200


def test_what_one_member_is_refused_takes_nothing_from_the_others(client: APIClient, settings: Any) -> None:
    settings.THROTTLE_MEMBER, settings.THROTTLE_TENANT = 2, 8
    for _ in range(10):
        client.get(NOTES)

    assert make.client(make.member()).get(NOTES).status_code == 200


def test_without_its_counting_server_the_api_still_answers(client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = redis.Redis(port=1, retry=Retry(NoBackoff(), retries=0))
    monkeypatch.setattr(throttles, "counters", lambda: gone)
    monkeypatch.setattr(health, "counters", lambda: gone)

    assert client.get(NOTES).status_code == 200
    answer = client.get("/health/")
    assert (answer.status_code, answer.json()) == (503, {"ok": False, "down": ["cache"], "degraded": []})


def test_health_is_told_on_the_installations_hosts(client: APIClient) -> None:
    assert client.get("/health/", headers={"host": "localhost"}).json() == {"ok": True, "down": [], "degraded": []}
    assert client.get("/health/", headers={"host": "[::1]:8000"}).status_code == 200
