"""Every number over the API: what it means, what it was, as JSON and as CSV, and for whom."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from catalog.models import Item
from creators.models import Creator
from kpplatform.metrics import queries
from kpplatform.metrics.dictionary import Ratio
from kpplatform.metrics.models import DailyFigure
from kpplatform.metrics.queries import METRICS, Span
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.catalog import things
from tests.conftest import NOON
from tests.metrics.happened import DAY, counted, show, watch

pytestmark = pytest.mark.usefixtures("_fresh_cache")

METRICS_DOOR = "/api/v1/metrics/"
DAYS = {"since": DAY.isoformat(), "until": (DAY + timedelta(days=1)).isoformat()}


@pytest.fixture
def staff(in_school: Tenant) -> APIClient:
    return make.client(make.member(Member.Role.STAFF))


@pytest.fixture
def ann(in_school: Tenant) -> Creator:
    """A creator whose video was watched twice from the feed and once from a search; another, the day after."""
    ann = things.creator(make.member(Member.Role.CREATOR))
    video, other = things.video(ann), things.video()
    show(make.member(), video, video)
    for source in ("feed", "feed", "search"):
        watch(make.member(), video, source=source)
    watch(make.member(), other, at=NOON + timedelta(days=1))
    counted(0, 1)
    return ann


def told(client: APIClient, name: str, **asked: Any) -> list[tuple[str, str, int]]:
    answer = client.get(f"{METRICS_DOOR}{name}/", DAYS | asked)
    assert answer.status_code == 200, answer.content
    return [(of["day"], of["part"], of["value"]) for of in answer.json()["figures"]]


def code(client: APIClient, name: str, **asked: Any) -> tuple[int, str]:
    answer = client.get(f"{METRICS_DOOR}{name}/", DAYS | asked)
    return answer.status_code, answer.json()["code"]


def test_the_dictionary_says_what_every_number_means(staff: APIClient) -> None:
    listed = {of["name"]: of for of in staff.get(METRICS_DOOR).json()}

    assert listed.keys() == METRICS.keys()
    assert listed["viewers"]["days_add_up"] is False
    assert listed["plays"] | {"definition": ""} == {
        "name": "plays",
        "unit": "count",
        "definition": "",
        "source": "catalog_watch",
        "part": "source",
        "days_add_up": True,
    }
    assert listed["completion"]["source"] == "finished / plays"


@pytest.mark.parametrize("name", ["plays", "watch_ms", "viewers", "completion", "click_rate"])
def test_json_csv_and_the_queries_tell_the_same(staff: APIClient, ann: Creator, name: str) -> None:
    span, metric = Span(DAY, DAY + timedelta(days=1)), METRICS[name]
    stored = queries.ratio(metric, span) if isinstance(metric, Ratio) else queries.series([name], span)[name]

    table = staff.get(f"{METRICS_DOOR}{name}/", DAYS | {"form": "csv"})

    rows = list(csv.reader(io.StringIO(table.content.decode())))
    assert table["Content-Type"] == "text/csv; charset=utf-8"
    assert f'filename="{name}-2026-05-01-2026-05-02.csv"' in table["Content-Disposition"]
    assert rows[0] == ["day", "part", "value"]
    assert [(day, part, int(value)) for day, part, value in rows[1:]] == told(staff, name)
    assert told(staff, name) == [(of.day.isoformat(), of.part, of.value) for of in stored]


def test_staff_ask_about_the_tenant_about_a_creator_and_about_an_item(staff: APIClient, ann: Creator) -> None:
    [video] = Item.objects.filter(creator=ann)

    assert told(staff, "plays") == [("2026-05-01", "", 3), ("2026-05-02", "", 1)]
    assert told(staff, "plays", creator=ann.handle) == [("2026-05-01", "", 3)]
    assert told(staff, "plays", item=video.pk, by_part=True) == [
        ("2026-05-01", "feed", 2),
        ("2026-05-01", "search", 1),
    ]
    assert told(staff, "click_rate") == [("2026-05-01", "", 1_000_000)]


def test_a_creator_asks_about_their_own_only(staff: APIClient, ann: Creator) -> None:
    own, other = make.client(ann.member), things.creator()
    theirs = things.video(other)

    assert told(own, "plays") == told(own, "plays", creator=ann.handle) == [("2026-05-01", "", 3)]
    assert code(own, "plays", creator=other.handle) == (404, "not_found")
    assert code(own, "plays", item=theirs.pk) == (404, "not_found")


def test_viewers_and_strangers_are_told_nothing(client: APIClient, ann: Creator, agency: Tenant) -> None:
    assert client.get(f"{METRICS_DOOR}plays/", DAYS).status_code in {403, 404}
    assert APIClient(headers={"host": "school.localhost"}).get(f"{METRICS_DOOR}plays/", DAYS).status_code == 401
    with scope(agency):
        stranger = make.client(make.member(Member.Role.ADMIN))
    assert told(stranger, "plays") == []
    assert code(stranger, "plays", creator=ann.handle) == (404, "not_found")


@pytest.mark.parametrize(
    ("name", "asked", "said"),
    [
        ("nothing", {}, (404, "unknown_metric")),
        ("plays", {"since": "2026-05-03"}, (400, "bad_days")),
        ("plays", {"since": "2020-01-01"}, (400, "bad_days")),
        ("plays", {"since": "yesterday"}, (400, "invalid")),
        ("plays", {"until": "2026-02-30"}, (400, "invalid")),
        ("plays", {"item": "0"}, (400, "invalid")),
        ("plays", {"item": str(2**63)}, (400, "invalid")),
        ("plays", {"form": "xlsx"}, (400, "invalid")),
        ("plays", {"what": "else"}, (400, "invalid")),
    ],
)
def test_what_cannot_be_is_refused(staff: APIClient, name: str, asked: dict[str, str], said: tuple[int, str]) -> None:
    assert code(staff, name, **asked) == said


def test_the_first_days_there_are_break_nothing(staff: APIClient) -> None:
    answer = staff.get(f"{METRICS_DOOR}plays/", {"until": "0001-01-03"})

    assert (answer.status_code, answer.json()["since"]) == (200, "0001-01-01")


def test_a_part_of_a_number_is_no_formula_of_a_spreadsheet(staff: APIClient) -> None:
    DailyFigure.objects.create(day=DAY, metric="plays", part="=1+1", value=1)

    table = staff.get(f"{METRICS_DOOR}plays/", DAYS | {"form": "csv", "by_part": "true"})

    assert table.content.decode().splitlines()[1:] == ["2026-05-01,'=1+1,1"]
    assert told(staff, "plays", by_part=True) == [("2026-05-01", "=1+1", 1)]


def test_a_longer_series_asks_no_more_questions(staff: APIClient, ann: Creator) -> None:
    def asked(days: int) -> int:
        until = DAY + timedelta(days=1)
        with CaptureQueriesContext(connection) as questions:
            told(staff, "plays", since=(until - timedelta(days=days - 1)).isoformat(), by_part=True)
        return len(questions)

    asked(1)
    assert asked(2) == asked(400)
