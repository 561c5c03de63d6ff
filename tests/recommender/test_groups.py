"""Staff say by rules whom they mean, and are told how many that is, never who."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from catalog import operations as catalog
from catalog.models import Purpose
from creators import operations as creators
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from recommender import operations, queries
from recommender.models import Addressee, ViewerGroup
from tests import make
from tests.billing import shop
from tests.catalog import things
from tests.metrics.happened import watch
from tests.recommender.test_campaigns import CAMPAIGNS, group, portrayed

pytestmark = pytest.mark.usefixtures("_fresh_cache")

GROUPS = "/api/v1/viewer-groups/"
PAID, UNPAID = {"kind": "paid", "is_so": True}, {"kind": "paid", "is_so": False}


@pytest.fixture
def staff(in_school: Tenant) -> APIClient:
    return make.client(make.member(Member.Role.STAFF))


def found(*rules: dict[str, Any]) -> set[int]:
    return set(queries.viewers_of(rules, at=timezone.now()))


def test_each_rule_finds_whom_it_says_and_all_of_them_hold(in_school: Tenant) -> None:
    now = timezone.now()
    piano = things.video(topic=things.topic())
    often, once, early = members = [make.member() for _ in range(3)]
    for viewer, days in ((often, [1, 2, 3]), (once, [1]), (early, [40, 41, 42])):
        for ago in days:
            watch(viewer, piano, at=now - timedelta(days=ago))
    creators.follow(viewer=once, creator=piano.creator, at=now)
    shop.bought(often, shop.course_for(10_000))
    [portrait] = portrayed(1, segment=group(7), churn=0.9)
    buyer_and_others = {often.pk} | {once.pk, early.pk, portrait.pk}

    watched = {"kind": "watched", "topic": "piano", "times": 3, "days": 30}
    assert found(watched) == {often.pk}
    assert found(watched | {"days": 60}) == {often.pk, early.pk}
    assert found(watched | {"times": 1}) == {often.pk, once.pk}
    assert found(PAID) == {often.pk}
    assert found(UNPAID) >= buyer_and_others - {often.pk}
    assert found({"kind": "unseen", "days": 30}) & {of.pk for of in members} == {early.pk}
    assert found({"kind": "follows", "creator": piano.creator.handle}) == {once.pk}
    assert found({"kind": "may_leave", "least": 0.8}) == found({"kind": "segment", "label": 7}) == {portrait.pk}
    assert found(watched | {"times": 1}, UNPAID) == {once.pk}


def test_who_does_not_want_to_be_remembered_is_in_no_group(in_school: Tenant) -> None:
    refuses, closes, withdraws, stays = portrayed(4)
    at = timezone.now()
    operations.refuse_portrait(viewer=refuses, at=at)
    operations.close_personalisation(viewer=closes, at=at)
    catalog.withdraw_consent(viewer=withdraws, purpose=Purpose.PERSONAL_EVENTS, at=at)
    make.member(Member.Role.CREATOR)
    make.member(suspended_at=at)

    assert found(UNPAID) == {stays.pk}


def test_a_group_is_asked_for_in_one_statement_whatever_its_rules(in_school: Tenant) -> None:
    things.topic()
    rules = [
        {"kind": "watched", "topic": "piano", "times": 2, "days": 30},
        PAID,
        {"kind": "unseen", "days": 9},
        {"kind": "may_leave", "least": 0.5},
    ]
    with CaptureQueriesContext(connection) as asked:
        viewers = queries.viewers_of(rules, at=timezone.now())
        before = len(asked)
        list(viewers)

    assert len(asked) == before + 1


@pytest.mark.parametrize(("viewers", "told"), [(19, 0), (20, 20), (39, 20)])
def test_how_many_they_are_is_rounded_down(staff: APIClient, viewers: int, told: int) -> None:
    portrayed(viewers)

    answer = staff.post(f"{GROUPS}count/", {"rules": [UNPAID]}, "json")

    assert answer.json() == {"at_least": told}
    assert not ViewerGroup.objects.exists()


def test_a_group_is_kept_and_a_campaign_is_for_who_belongs_to_it_then(staff: APIClient) -> None:
    early = portrayed(25)
    made = staff.post(GROUPS, {"name": "unpaid", "rules": [UNPAID]}, "json")
    assert (made.status_code, made.json()["at_least"]) == (201, 20)
    late = portrayed(3)

    begun = staff.post(CAMPAIGNS, {"name": "back", "message": "Come back!", "group": "unpaid"}, "json").json()

    assert begun["group"] == "unpaid"
    everybody = set(Addressee.objects.values_list("viewer_id", flat=True))
    assert everybody == {viewer.pk for viewer in (*early, *late)}
    assert [of["name"] for of in staff.get(GROUPS).json()["results"]] == ["unpaid"]
    again = staff.post(GROUPS, {"name": "unpaid", "rules": [PAID]}, "json")
    assert (again.status_code, again.json()["code"]) == (409, "group_name_taken")


@pytest.mark.parametrize(
    "rules",
    [
        [{"kind": "rich"}],
        [{}],
        [{"kind": "paid"}],
        [{"kind": "paid", "is_so": 1}],
        [{"kind": "paid", "is_so": True, "days": 3}],
        [{"kind": "unseen", "days": 0}],
        [{"kind": "unseen", "days": True}],
        [{"kind": "unseen", "days": "7"}],
        [{"kind": "may_leave", "least": 1.5}],
        [{"kind": "segment", "label": 9}],
        [{"kind": "follows", "creator": "theirs"}],
        [{"kind": "watched", "topic": "pia\0no", "times": 1, "days": 1}],
        [{"kind": "follows", "creator": "x" * 100_000}],
        [PAID, {"kind": "watched", "topic": "theirs", "times": 1, "days": 1}],
    ],
    ids=lambda rules: ascii(rules)[:80],
)
def test_rules_that_say_nothing_are_refused(staff: APIClient, agency: Tenant, rules: list[Any]) -> None:
    with scope(agency):
        things.creator(handle="theirs")
        things.topic("theirs")

    for path, more in ((GROUPS, {"name": "x"}), (f"{GROUPS}count/", {})):
        refused = staff.post(path, {"rules": rules, **more}, "json")
        assert (refused.status_code, refused.json()["code"]) == (400, "bad_rules"), refused.content
    assert not ViewerGroup.objects.exists()


def test_viewers_and_creators_see_no_group(client: APIClient, in_school: Tenant) -> None:
    creator = make.client(make.member(Member.Role.CREATOR))
    for who in (client, creator):
        assert who.get(GROUPS).status_code == 403
        assert who.post(f"{GROUPS}count/", {"rules": [PAID]}, "json").status_code == 403
