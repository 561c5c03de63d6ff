"""Tests made from the API's own description: whatever is added to it is asked too."""

from typing import Any

import pytest
import requests
import schemathesis
from django.core.management import call_command
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from rest_framework.test import APIClient
from schemathesis import Case

from kpplatform.tenancy import operations
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.conftest import NOON
from tests.everything import Everything, furnish
from tests.journeys.asking import NAMED, NAMED_INSIDE, SCHEMA, Asked, everything_asked

pytestmark = pytest.mark.usefixtures("_fresh_cache")

ABOUT_ROWS = [asked for asked in everything_asked() if asked.names]
DICTIONARY = "/api/v1/metrics/"  # what the numbers mean is no tenant's
LISTS = [a for a in everything_asked() if a.method == "GET" and "{" not in a.path and a.path != DICTIONARY]
SITE = "http://school.localhost"
OF_THE_BODY = {"Content-Type", "Content-Length"}
# Half of the time nobody knows who asks: keys are made up as well.
SIGN_IN = {"Authorization", "Cookie", "X-Session-Token", *OF_THE_BODY}
api = schemathesis.openapi.from_dict(SCHEMA)


@pytest.fixture
def found(school: Tenant, settings: Any) -> Everything:
    """A school with one of everything, whose staff has a token as well."""
    settings.THROTTLE_MEMBER = settings.THROTTLE_TENANT = 1_000_000
    with scope(school):
        found = furnish()
        operations.issue_token(member=found.staff, name="robot", scopes=["read"], at=NOON)
    return found


@pytest.fixture
def stranger(agency: Tenant) -> APIClient:
    """The admin of another tenant, which has nothing yet."""
    with scope(agency):
        return make.client(make.member(Member.Role.ADMIN))


def test_the_description_has_no_gap() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", file="/dev/null")


def test_every_path_says_how_its_row_is_found() -> None:
    assert {asked.names for asked in ABOUT_ROWS} == set(NAMED)


def answered(client: APIClient, asked: Asked, found: Everything, **inside: Any) -> int:
    """Ask, take back whatever it did, and return the status."""
    with transaction.atomic():
        status: int = asked.of(client, found, **inside).status_code
        transaction.set_rollback(True)
    return status


def test_another_tenants_rows_are_not_there(found: Everything, stranger: APIClient) -> None:
    with scope(found.staff.tenant):
        statuses = {str(asked): answered(stranger, asked, found) for asked in ABOUT_ROWS}

    assert {asked: status for asked, status in statuses.items() if status != 404} == {}


def test_ones_own_rows_are_there(found: Everything) -> None:
    """The same questions from the right tenant, of rows of its own: so they were well put."""
    client = make.client(found.staff)
    with scope(found.staff.tenant):
        own = {field: find(found) for field, find in NAMED_INSIDE.items()}
        statuses = {
            str(asked): answered(client, asked, found, **{field[0]: own[field] for field in asked.names_inside()})
            for asked in ABOUT_ROWS
        }

    assert {asked: status for asked, status in statuses.items() if status in {400, 401, 404, 405, 415}} == {
        "PATCH /api/v1/lessons/{id}/": 400,  # a lesson is a video or a text, and this one would be both
        "PUT /api/v1/ebook-files/{id}/": 400,  # nothing is no book
        "POST /api/v1/orders/{id}/pay/": 404,  # only the buyer pays
        "POST /api/v1/payout-batches/{id}/result/": 400,  # a word is no file of the bank's
    }


def test_another_tenants_ids_in_a_body_are_unknown(found: Everything, agency: Tenant) -> None:
    with scope(found.staff.tenant):
        found.topic.slug = "theirs"
        found.topic.save()
        theirs = {field: find(found) for field, find in NAMED_INSIDE.items()}
    with scope(agency):
        own = furnish()
        client = make.client(own.staff)
        taken = {
            f"{asked} {field}": asked.of(client, own, **{field[0]: theirs[field]}).status_code
            for asked in everything_asked()
            for field in asked.names_inside()
        }

    assert len(taken) > 8
    assert {asked: status for asked, status in taken.items() if not 400 <= status <= 404} == {}


def listed(answer: Any) -> list[Any]:
    assert answer.status_code == 200
    said = answer.json()
    return list(said if isinstance(said, list) else said.get("results", []))


def test_no_list_shows_another_tenants_rows(found: Everything, stranger: APIClient) -> None:
    shown = {asked.path: len(listed(asked.of(stranger, found))) for asked in LISTS}
    own = {asked.path: len(listed(asked.of(make.client(found.staff), found))) for asked in LISTS}

    assert set(shown.values()) == {0}, shown
    assert len([path for path, count in own.items() if count]) > len(own) / 2, own


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::django.core.cache.CacheKeyWarning")  # made-up session tokens
@api.parametrize()
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
def test_nothing_that_is_sent_breaks_it(case: Case[Any], found: Everything) -> None:
    client = make.client(found.staff)
    with scope(found.staff.tenant):
        real = Asked(case.method, case.operation.path, {}).parameters(found)

    for parameters, is_signed_in in ((case.path_parameters, False), (real, True)):
        case.path_parameters = {name: parameters[name] for name in case.path_parameters or {}}
        with transaction.atomic():
            answer = send(case, client, without=SIGN_IN if is_signed_in else OF_THE_BODY)
            transaction.set_rollback(True)
        assert answer.status_code < 500, answer.content


def send(case: Case[Any], client: APIClient, *, without: set[str]) -> Any:
    """Send the case through the client of the test, whose rows no other connection sees."""
    asked = requests.Request(**case.as_transport_kwargs(base_url=SITE)).prepare()
    headers: Any = {name: value for name, value in asked.headers.items() if name not in without}
    content: Any = asked.headers.get("Content-Type", "application/octet-stream")
    body: Any = asked.body or b""
    return client.generic(case.method, str(asked.url).removeprefix(SITE), body, content, headers=headers)
