"""The numbers that hold for ads are changed by staff, and nonsense is refused where it is set."""

from dataclasses import fields
from typing import Any

import pytest

from billing.ads.models import AdRulesChange
from billing.ads.operations import change_ad_rules
from billing.ads.queries import AdRules, ad_rules
from billing.ads.queries.limits import LIMITS, BadAdRules
from billing.operations.staff import StaffOnly
from kpplatform.tenancy.models import Member, Tenant
from tests import make
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("in_school")
PATH = "/api/v1/ad-settings/"


def test_every_rule_has_its_limits_and_the_usual_ones_lie_within() -> None:
    assert set(LIMITS) == {field.name for field in fields(AdRules)}
    for name, (least, most) in LIMITS.items():
        assert least <= getattr(AdRules(), name) <= most


def test_staff_change_them_and_it_is_written_down(in_school: Tenant) -> None:
    staff = make.client(make.member(Member.Role.STAFF))

    told = staff.patch(PATH, {"every": 8, "view_share": 0.75, "why": "Fewer ads."}).json()

    assert (told["every"], told["view_share"], told["floor"]) == (8, 0.75, 500)
    in_school.refresh_from_db()
    assert in_school.settings == {"ad_every": 8, "ad_view_share": 0.75}
    assert ad_rules(in_school).every == 8
    change = AdRulesChange.objects.get()
    assert (change.before, change.after, change.why) == (
        {"every": 6, "view_share": 0.5},
        {"every": 8, "view_share": 0.75},
        "Fewer ads.",
    )
    staff.patch(PATH, {"every": 8})
    assert AdRulesChange.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"every": -1}, "every is a whole number from 0 to 1000, not -1."),
        ({"creators_bps": 10_001}, "creators_bps is a whole number from 0 to 10000"),
        ({"view_share": 1.5, "floor": -5}, "floor is a whole number"),
        ({"keep_days": 1}, "keep_days is a whole number from 60"),
    ],
)
def test_a_number_that_makes_no_sense_is_refused_and_named(in_school: Tenant, wrong: dict[str, Any], said: str) -> None:
    answer = make.client(make.member(Member.Role.STAFF)).patch(PATH, wrong | {"hold_hours": 24})

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_ad_rules")
    assert said in answer.json()["detail"]
    in_school.refresh_from_db()
    assert in_school.settings == {}


@pytest.mark.parametrize("wrong", [{"every": "six"}, {"every": True}, {"every": 6.5}, {"floor": None}, {"prices": 1}])
def test_what_is_no_number_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadAdRules):
        change_ad_rules(changes=wrong, by=make.member(Member.Role.STAFF), at=NOON)


@pytest.mark.parametrize("stored", [{"ad_every": "six"}, {"ad_view_share": float("nan")}, {"ad_creators_bps": 12_000}])
def test_what_was_stored_by_hand_is_not_used_either(in_school: Tenant, stored: dict[str, Any]) -> None:
    in_school.settings = stored

    with pytest.raises(BadAdRules, match=next(iter(stored)).removeprefix("ad_")):
        ad_rules(in_school)


def test_only_staff_read_and_change_them(viewer: Member) -> None:
    client = make.client(viewer)

    assert (client.get(PATH).status_code, client.patch(PATH, {"every": 1}).status_code) == (403, 403)
    with pytest.raises(StaffOnly):
        change_ad_rules(changes={"every": 1}, by=viewer, at=NOON)
