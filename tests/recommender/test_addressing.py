"""Staff make groups and begin campaigns in the console: what they see is counted first, what is refused says why."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.operations.coupons import make_coupon
from kpplatform.tenancy.models import Member, Tenant
from recommender.models import Addressee, Campaign, ViewerGroup
from tests import make
from tests.catalog import things
from tests.kpplatform.test_figures import of
from tests.metrics.happened import watch
from tests.recommender.test_campaigns import group, portrayed

pytestmark = pytest.mark.usefixtures("_fresh_cache")

GROUP, CAMPAIGN = reverse("admin:recommender_viewergroup_add"), reverse("admin:recommender_campaign_add")
SAID = {"message_zh": "回来吧！", "message_en": "Come back!", "is_sent_here": "on", "held_out": "0.25", "days": "14"}


@pytest.fixture
def staff(in_school: Tenant) -> Client:
    return of(make.member(Member.Role.STAFF))


def errors(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200
    return {field: list(said) for field, said in answer.context["form"].errors.items()}


def test_a_group_is_counted_before_it_is_kept(staff: Client) -> None:
    piano = things.video(topic=things.topic())
    for _ in range(25):
        watch(make.member(), piano, at=timezone.now())
    asked = {"name": "pianists", "topic": "piano", "times": "1", "days": "7"}
    assert b"Count" in staff.get(GROUP).content

    kept_at_once = staff.post(GROUP, asked | {"keep": ""})
    counted = staff.post(GROUP, asked | {"count": ""})
    assert not ViewerGroup.objects.exists()
    assert "At least 20 viewers." in counted.content.decode()
    assert "At least 20 viewers." in kept_at_once.content.decode(), "It is counted instead."
    token = counted.context["form"]["counted"].value()

    changed = staff.post(GROUP, asked | {"days": "8", "keep": "", "counted": token})
    assert (changed.status_code, ViewerGroup.objects.count()) == (200, 0)
    done = staff.post(GROUP, asked | {"keep": "", "counted": token}, follow=True)

    assert "pianists" in done.content.decode()
    kept = ViewerGroup.objects.get()
    assert (kept.at_least, kept.rules) == (20, [{"kind": "watched", "topic": "piano", "times": 1, "days": 7}])


def test_every_kind_of_rule_can_be_said(staff: Client) -> None:
    group(7)
    maker = things.creator()
    things.topic()
    asked = {
        "name": "all",
        "topic": "piano",
        "times": "2",
        "days": "30",
        "paid": "unpaid",
        "unseen_days": "5",
        "creator": maker.handle,
        "least": "0.5",
        "segment": "7",
    }

    token = staff.post(GROUP, asked).context["form"]["counted"].value()
    staff.post(GROUP, asked | {"keep": "", "counted": token})

    assert ViewerGroup.objects.get().rules == [
        {"kind": "watched", "topic": "piano", "times": 2, "days": 30},
        {"kind": "paid", "is_so": False},
        {"kind": "unseen", "days": 5},
        {"kind": "follows", "creator": maker.handle},
        {"kind": "may_leave", "least": 0.5},
        {"kind": "segment", "label": 7},
    ]


def test_a_group_that_is_refused_says_why(staff: Client) -> None:
    assert errors(staff.post(GROUP, {"name": "none"})) == {"__all__": ["A group has 1 to 10 rules."]}
    unknown = staff.post(GROUP, {"name": "fans", "creator": "nobody"})
    assert errors(unknown) == {"__all__": ["There is no creator 'nobody'."]}
    assert set(errors(staff.post(GROUP, {"name": "no name!", "least": "2"}))) == {"name", "least"}
    for _ in range(2):
        token = staff.post(GROUP, {"name": "payers", "paid": "paid"}).context["form"]["counted"].value()
        again = staff.post(GROUP, {"name": "payers", "paid": "paid", "keep": "", "counted": token})
    assert errors(again) == {"__all__": ["There is a group payers already."]}


def test_a_campaign_is_begun_in_both_languages_with_a_coupon(staff: Client) -> None:
    portrayed(40, segment=group(3))
    coupon = make_coupon(
        by=make.member(Member.Role.ADMIN), creator=None, bps=2_000, is_personal=True, at=timezone.now()
    )

    done = staff.post(
        CAMPAIGN, SAID | {"name": "back", "segment": "3", "coupon": coupon.code, "link": "/a"}, follow=True
    )

    begun = Campaign.objects.get()
    assert (begun.message_zh, begun.message_en, begun.message) == ("回来吧！", "Come back!", "回来吧！")
    assert (begun.coupon, begun.link, begun.is_sent_here, begun.held_out) == (coupon, "/a", True, 0.25)
    assert begun.reached + begun.spared == Addressee.objects.count() == 40
    assert f"{begun.reached} viewers are told" in done.content.decode()


def test_a_campaign_that_is_refused_says_why(staff: Client) -> None:
    assert set(errors(staff.post(CAMPAIGN, {"held_out": "1", "days": "0"}))) == {
        *("name", "message_zh", "message_en", "held_out", "days"),
    }
    nobody = staff.post(CAMPAIGN, SAID | {"name": "back"})
    assert errors(nobody) == {"__all__": ["A campaign is for a group, a segment, or those likely to leave."]}
    few = staff.post(CAMPAIGN, SAID | {"name": "back", "least_churn": "0.1"})
    assert errors(few) == {"__all__": ["It would be for fewer than 20 viewers."]}
    portrayed(25)
    public = staff.post(CAMPAIGN, SAID | {"name": "back", "least_churn": "0", "coupon": "NONE"})
    assert errors(public)["__all__"][0].startswith("There is no personal coupon NONE")
    away = staff.post(CAMPAIGN, SAID | {"name": "back", "least_churn": "0", "link": "//elsewhere"})
    assert errors(away)["__all__"][0].startswith("A link leads to a page of the site")
    assert not Campaign.objects.exists()


@pytest.mark.parametrize("role", [Member.Role.CREATOR, Member.Role.VIEWER])
def test_only_staff_have_the_forms(in_school: Tenant, role: Member.Role) -> None:
    member = make.member(role)
    things.creator(member)

    assert {of(member).get(path).status_code for path in (GROUP, CAMPAIGN)} <= {302, 403}
    assert {of(member).post(path, {"name": "x"}).status_code for path in (GROUP, CAMPAIGN)} <= {302, 403}


def test_what_another_site_sends_is_refused(in_school: Tenant) -> None:
    strict = Client(headers={"host": "school.localhost"}, enforce_csrf_checks=True)
    boss = make.member(Member.Role.STAFF)
    assert boss.user
    strict.force_login(boss.user, backend="allauth.account.auth_backends.AuthenticationBackend")

    assert {strict.post(path, SAID | {"name": "x"}).status_code for path in (GROUP, CAMPAIGN)} == {403}
