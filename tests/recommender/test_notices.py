"""What a campaign tells: each of the reached once, not too often, the held-out nothing."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from billing.operations.coupons import CouponNotValid, coupon_of, make_coupon, withdraw_coupon
from catalog import operations as catalog
from catalog.models import Purpose
from kpplatform.jobs.models import Job
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from recommender import operations, tasks
from recommender.models import Addressee, Campaign, Notice
from recommender.operations import notices
from recommender.operations.campaigns import Audience, Message
from recommender.queries.notices import MOST_A_WEEK
from tests import make
from tests.concurrency import at_once
from tests.conftest import COMMITTED
from tests.recommender.noticed import send, told
from tests.recommender.test_campaigns import CAMPAIGNS, portrayed

pytestmark = pytest.mark.usefixtures("_fresh_cache")

NOTICES, WANTED = "/api/v1/notices/", "/api/v1/campaign-notices/"


def begun(name: str = "back", *, held_out: float = 0.25, **said: Any) -> Campaign:
    """Return a campaign for everybody who has a portrait."""
    message = Message("Come back!", **{"is_sent_here": True} | said)
    audience = Audience(least_churn=0.0)
    return operations.begin_campaign(
        name=name, audience=audience, message=message, held_out=held_out, days=14, at=timezone.now()
    )


def dealt(*, held_out: bool) -> list[int]:
    rows = Addressee.objects.filter(is_held_out=held_out).order_by("viewer").values_list("viewer_id", flat=True)
    return list(rows.distinct())


def signed_in(viewer: int) -> APIClient:
    """Let a viewer who was only drawn sign in."""
    Member.objects.filter(pk=viewer).update(user=make.user())
    return make.client(Member.objects.select_related("user", "tenant").get(pk=viewer))


def may_use(code: str, viewer: int) -> bool:
    try:
        coupon_of(code, viewer=Member.objects.get(pk=viewer), at=timezone.now())
    except CouponNotValid:
        return False
    return True


def test_the_reached_are_told_once_and_get_the_coupon_and_the_held_out_nothing(in_school: Tenant) -> None:
    portrayed(40)
    staff = make.member(Member.Role.ADMIN)
    coupon = make_coupon(by=staff, creator=None, bps=2_000, is_personal=True, at=timezone.now())
    campaign = begun(coupon=coupon.code.lower())
    reached, spared = dealt(held_out=False), dealt(held_out=True)

    assert send(campaign) == reached
    assert send(campaign) == reached

    assert Job.objects.filter(name="recommender.tasks.send_campaigns").count() == 1
    assert 0 < len(spared) < 20
    assert {may_use(coupon.code, viewer) for viewer in reached} == {True}
    assert {may_use(coupon.code, viewer) for viewer in spared} == {False}
    for viewer in spared[:2]:
        assert signed_in(viewer).get(NOTICES).json()["results"] == []


@COMMITTED
def test_who_was_told_before_the_worker_died_is_not_told_again(
    school: Tenant, agency: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It dies in its third batch of ten; then two workers are at it at once."""
    monkeypatch.setattr(notices, "AT_ONCE", 10)
    with scope(school):
        portrayed(60)
        campaign = begun(held_out=0.1)
        reached = dealt(held_out=False)
    with monkeypatch.context() as dying:
        whole, batches = Notice.objects.bulk_create, []

        def die(rows: Any) -> None:
            whole(rows)
            batches.append(1)
            if len(batches) == 3:
                raise KeyboardInterrupt

        dying.setattr(Notice.objects, "bulk_create", die)
        with pytest.raises(KeyboardInterrupt):
            tasks.send_campaigns(tenant=school)
    with scope(school):
        assert told(campaign) == reached[:20]

    raised = at_once(school, [lambda: send(campaign)] * 2)

    with scope(school):
        assert told(campaign) == reached, raised
    tasks.send_campaigns(tenant=school)
    with scope(school):
        assert Campaign.objects.get().figures["viewers"]["reached"] == len(reached)
    with scope(agency):
        assert not Notice.objects.exists()


def test_a_viewer_is_told_so_often_a_week_and_the_rest_later(in_school: Tenant) -> None:
    portrayed(20)
    campaigns = [begun(f"c{number}", held_out=0.01) for number in range(MOST_A_WEEK + 1)]
    *early, late = campaigns

    for campaign in campaigns:
        send(campaign)

    assert all(told(campaign) for campaign in early)
    twice = [viewer for viewer in told(early[0]) if viewer in told(early[1])]
    assert set(told(late)) == set(dealt(held_out=False)) - set(twice)
    assert len(send(late, at=timezone.now() + timedelta(days=8))) == late.reached


def test_nobody_more_is_told_once_it_is_stopped(in_school: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the rest of those who are just being told, nor by anybody else; who was told keeps it, twice is once."""
    monkeypatch.setattr(notices, "AT_ONCE", 5)
    portrayed(20)
    campaign, staff = begun(held_out=0.01), make.client(make.member(Member.Role.STAFF))
    operations.tell_some(campaign=campaign, after=0, at=timezone.now())

    stopped = staff.post(f"{CAMPAIGNS}{campaign.pk}/stop/").json()["stopped_at"]

    assert len(send(campaign)) == 5
    assert staff.get(f"{CAMPAIGNS}{campaign.pk}/viewers/").json()["results"] == []
    assert stopped
    assert staff.post(f"{CAMPAIGNS}{campaign.pk}/stop/").json()["stopped_at"] == stopped


def test_nobody_is_told_once_its_days_are_over_or_when_something_else_sends_it(in_school: Tenant) -> None:
    portrayed(20)

    assert send(begun("over"), at=timezone.now() + timedelta(days=14)) == []
    assert send(begun("elsewhere", is_sent_here=False)) == []


def test_who_refuses_notices_or_withdraws_consent_is_not_told(in_school: Tenant) -> None:
    refuses, withdraws, *_ = portrayed(20)
    client = signed_in(refuses.pk)
    campaign = begun(held_out=0.01)

    for _ in range(2):
        assert client.delete(WANTED).status_code == 204
    assert client.get(WANTED).json()["is_on"] is False
    catalog.withdraw_consent(viewer=withdraws, purpose=Purpose.PERSONAL_EVENTS, at=timezone.now())

    reached = set(dealt(held_out=False))
    assert set(send(campaign)) == reached - {refuses.pk, withdraws.pk}
    client.put(WANTED)
    assert client.get(WANTED).json() == {"is_on": True, "refused_at": None}
    assert set(send(campaign)) == reached - {withdraws.pk}


def test_whoever_sends_it_is_given_nobody_who_refuses_notices_or_was_suspended(in_school: Tenant) -> None:
    refuses, suspended, *rest = (viewer.pk for viewer in portrayed(22))
    campaign = begun(held_out=0.01, is_sent_here=False)
    operations.refuse_notices(viewer=Member.objects.get(pk=refuses), at=timezone.now())
    Member.objects.filter(pk=suspended).update(suspended_at=timezone.now())

    listed = make.client(make.member(Member.Role.STAFF)).get(f"{CAMPAIGNS}{campaign.pk}/viewers/?limit=100").json()

    assert [of["viewer"] for of in listed["results"]] == [of for of in rest if of in dealt(held_out=False)]


def test_nobody_is_told_of_a_coupon_that_was_withdrawn_or_has_ended(in_school: Tenant) -> None:
    portrayed(20)
    staff, now = make.member(Member.Role.ADMIN), timezone.now()
    ends = make_coupon(by=staff, creator=None, bps=100, is_personal=True, ends_at=now + timedelta(days=1), at=now)
    withdrawn = make_coupon(by=staff, creator=None, bps=100, is_personal=True, at=now)
    late, early = begun("ends", coupon=ends.code), begun("withdrawn", coupon=withdrawn.code)
    withdraw_coupon(coupon=withdrawn, by=staff, at=now)

    assert send(late, at=now + timedelta(days=2)) == send(early) == []
    assert len(send(late, at=now)) == late.reached


def test_a_notice_is_in_the_viewers_language_read_and_dismissed(in_school: Tenant) -> None:
    english, chinese = make.member(language="en"), make.member(language="zh-hans")
    portrayed(20)
    campaign = begun(message_zh="回来吧！", link="/courses/1")
    for member in (english, chinese):
        Notice.objects.create(campaign=campaign, viewer=member, sent_at=timezone.now())
    client = make.client(english)

    [shown] = client.get(NOTICES).json()["results"]
    [theirs] = make.client(chinese).get(NOTICES).json()["results"]

    assert (shown["text"], shown["link"], shown["coupon"]) == ("Come back!", "/courses/1", None)
    assert theirs["text"] == "回来吧！"
    first = client.post(f"{NOTICES}{shown['id']}/read/").json()["read_at"]
    assert client.post(f"{NOTICES}{shown['id']}/read/").json()["read_at"] == first
    assert client.post(f"{NOTICES}{theirs['id']}/read/").status_code == 404
    assert client.post(f"{NOTICES}{shown['id']}/dismiss/").status_code == 204
    assert client.get(NOTICES).json()["results"] == []
    assert Notice.objects.get(viewer=english).dismissed_at is not None


def test_notices_ask_no_question_per_row(in_school: Tenant, client: APIClient, viewer: Member) -> None:
    portrayed(20)

    def asked(name: str) -> int:
        Notice.objects.create(campaign=begun(name), viewer=viewer, sent_at=timezone.now())
        with CaptureQueriesContext(connection) as questions:
            assert client.get(NOTICES).status_code == 200
        return len(questions)

    asked("warm")
    assert asked("two") == asked("three")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"link": "https://elsewhere.org/"}, "bad_message"),
        ({"link": "//elsewhere.org/"}, "bad_message"),
        ({"link": "/\\elsewhere.org/"}, "bad_message"),
        ({"link": "/\t/elsewhere.org/"}, "bad_message"),
        ({"coupon": "OVER"}, "coupon_is_over"),
        ({"coupon": "OPEN"}, "coupon_not_personal"),
        ({"coupon": "NONE"}, "coupon_not_personal"),
        ({"coupon": "MINE", "is_sent_here": False}, "bad_message"),
        ({"coupon": "TAKEN"}, "campaign_name_taken"),
        ({"group": "nobody"}, "two_audiences"),
        ({"group": "nobody", "least_churn": None}, "no_such_segment"),
    ],
)
def test_what_cannot_be_told_is_refused(in_school: Tenant, said: dict[str, Any], code: str) -> None:
    portrayed(20)
    staff, at = make.member(Member.Role.ADMIN), timezone.now()
    for name in ("OPEN", "MINE", "TAKEN"):
        make_coupon(by=staff, creator=None, code=name, bps=100, is_personal=name != "OPEN", at=at)
    begun("first", coupon="TAKEN")
    long_ago = at - timedelta(days=9)
    make_coupon(
        by=staff, creator=None, code="OVER", bps=100, is_personal=True, starts_at=long_ago, ends_at=at, at=long_ago
    )
    ask = {"name": "back", "message": "Come back!", "least_churn": 0.0, "is_sent_here": True} | said

    refused = make.client(staff).post(CAMPAIGNS, ask, "json")

    assert refused.json()["code"] == code, refused.content
    assert Campaign.objects.count() == 1
