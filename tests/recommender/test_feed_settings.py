"""A tenant puts its feed together as it likes: within bounds, with a journal, and at once."""

from dataclasses import asdict, fields
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from recommender import operations, queries
from recommender.ml.feed_settings import DEFAULTS, SHARES, Settings
from recommender.models import FeedSettings, FeedSettingsChange
from recommender.operations import BadFeedSettings
from tests import make
from tests.conftest import NOON
from tests.recommender import planted
from tests.recommender.test_feed import page, shown

SETTINGS = "/api/v1/feed-settings/"

pytestmark = pytest.mark.usefixtures("_fresh_cache")


@pytest.fixture
def staff(in_school: Tenant) -> APIClient:
    return make.client(make.member(Member.Role.STAFF))


def test_a_row_says_what_the_plain_settings_say(in_school: Tenant) -> None:
    row = FeedSettings()

    assert row.plain == DEFAULTS
    assert {field.name for field in fields(Settings)} <= {field.name for field in FeedSettings._meta.get_fields()}


def test_without_a_word_the_defaults_hold(staff: APIClient) -> None:
    assert staff.get(SETTINGS).json() == asdict(DEFAULTS)


def test_what_is_changed_is_kept_and_written_down(staff: APIClient) -> None:
    answer = staff.patch(SETTINGS, {"popular": 0.5, "method": "dpp", "why": "a holiday"}, format="json")

    assert answer.status_code == 200, answer.content
    assert queries.feed_settings() == Settings(popular=0.5, method="dpp")
    [change] = staff.get(f"{SETTINGS}changes/").json()["results"]
    assert change["before"] == {"popular": DEFAULTS.popular, "method": "mmr"}
    assert (change["after"], change["why"]) == ({"popular": 0.5, "method": "dpp"}, "a holiday")


def test_saying_the_same_again_changes_nothing(staff: APIClient) -> None:
    for _ in range(2):
        staff.patch(SETTINGS, {"popular": 0.5}, format="json")

    assert FeedSettingsChange.objects.count() == 1


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"popular": -0.1}, "not_a_share"),
        ({"explored": 1.1}, "not_a_share"),
        ({"per_creator": 0}, "min_value"),
        ({"alike": 0.2}, "min_value"),
        ({"model_weights": {"als": 2}}, "bad_weights"),
        (dict.fromkeys(SHARES, 0), "no_source"),
    ],
)
def test_what_makes_no_feed_is_refused_with_its_code(staff: APIClient, sent: dict[str, Any], code: str) -> None:
    answer = staff.patch(SETTINGS, sent, format="json")

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_feed_settings")
    assert code in answer.json()["detail"]
    assert not FeedSettings.objects.exists()


@pytest.mark.parametrize(
    "changes", [{"popularity": 0.5}, {"model_weights": [1]}, {"personal": "much"}, {"fresh": float("nan")}]
)
def test_an_arm_of_an_experiment_is_checked_alike(in_school: Tenant, changes: dict[str, Any]) -> None:
    with pytest.raises(BadFeedSettings):
        operations.check_feed_settings(changes)

    operations.check_feed_settings({"personal": 0.5})


def test_viewers_and_creators_change_nothing(client: APIClient) -> None:
    assert client.patch(SETTINGS, {"popular": 0.5}, format="json").status_code == 403
    assert client.get(SETTINGS).status_code == 403


def test_a_source_that_is_switched_off_shows_nothing(client: APIClient, staff: APIClient) -> None:
    planted.videos(40)
    off = dict.fromkeys(["personal", "fresh", "explored", "followed"], 0)

    staff.patch(SETTINGS, off, format="json")

    assert {card["source"] for card in page(client)["results"]} == {"popular"}


def test_the_next_second_knows(client: APIClient, viewer: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    many = planted.videos(30, by=planted.creator())
    others = planted.videos(30)
    shown(client, limit=1)
    staff = make.member(Member.Role.STAFF)

    operations.change_feed_settings(changes={"per_creator": 1}, by=staff, at=NOON)
    monkeypatch.setattr("recommender.serving.kept.time.monotonic", lambda: 1e12)

    assert len(set(shown(client)) & {item.pk for item in many}) <= 1
    assert others


def test_one_tenants_word_is_not_anothers(staff: APIClient, agency: Tenant) -> None:
    staff.patch(SETTINGS, {"popular": 0.5}, format="json")

    with scope(agency):
        assert queries.feed_settings() == DEFAULTS


def test_staff_change_the_feed_in_the_console(in_school: Tenant) -> None:
    staff = make.member(Member.Role.STAFF)
    client = Client(headers={"host": "school.localhost", "accept-language": "zh-CN"})
    assert staff.user is not None
    client.force_login(staff.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    form = asdict(DEFAULTS) | {"model_weights": "{}", "popular": "0.5"}

    asked = client.get(reverse("admin:recommender_feedsettings_add"))
    wrong = client.post(reverse("admin:recommender_feedsettings_add"), form | {"fresh": "7"})
    right = client.post(reverse("admin:recommender_feedsettings_add"), form)
    row = FeedSettings.objects.get()
    again = client.post(reverse("admin:recommender_feedsettings_change", args=[row.pk]), form | {"popular": "0.4"})

    assert "由已发布的模型推荐" in asked.content.decode()
    assert (wrong.status_code, right.status_code, again.status_code) == (200, 302, 302)
    assert queries.feed_settings() == Settings(popular=0.4)
    assert [change.after for change in queries.feed_settings_changes()] == [{"popular": 0.4}, {"popular": 0.5}]
