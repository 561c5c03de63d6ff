"""The pages of figures: for whom they are, what they say, and what they cost."""

from datetime import timedelta

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from creators.models import Creator
from kpplatform.console.pages import PAGES
from kpplatform.console.pages.shapes import Audience, Page
from kpplatform.metrics import operations as metrics
from kpplatform.tenancy.models import Member, Tenant
from tests import make
from tests.catalog import things
from tests.metrics import happened

pytestmark = pytest.mark.usefixtures("_fresh_cache")
MOST_QUERIES = 45  # one for each recurring job on the page of work; none grows with rows
NO_VISITOR = 302  # to the page where one signs in


def of(member: Member, language: str = "en") -> Client:
    client = Client(headers={"host": f"{member.tenant.slug}.localhost", "accept-language": language})
    assert member.user is not None
    client.force_login(member.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def address(page: Page, **asked: object) -> str:
    return reverse("admin:figures", args=[page.slug], query=asked or None)


def pages(*audiences: Audience) -> list[Page]:
    return [page for page in PAGES if page.audience in audiences]


@pytest.fixture
def creator(in_school: Tenant) -> Creator:
    """Somebody whose video was shown and watched yesterday and today."""
    made = things.creator(make.member(Member.Role.CREATOR))
    now = timezone.now()
    video = things.video(made, title="Scales", published_at=now - timedelta(days=3))
    for at in (now - timedelta(days=1), now):
        viewer = make.member()
        happened.show(viewer, video, at=at)
        happened.watch(viewer, video, at=at)
        metrics.count_day(day=at.astimezone().date(), at=now)
    return made


@pytest.mark.parametrize("page", pages(Audience.STAFF, Audience.CREATOR), ids=lambda page: page.slug)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_page_opens_full_and_empty(page: Page, language: str, creator: Creator, agency: Tenant) -> None:
    """In each language; with a bounded number of questions, however many days."""
    staff = of(make.member(Member.Role.STAFF), language)

    for days in (7, 90):
        with CaptureQueriesContext(connections["default"]) as asked:
            answer = staff.get(address(page, days=days, creator=creator.handle))
        assert answer.status_code == 200, answer.content[:500]
        assert len(asked) <= MOST_QUERIES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.slug)
def test_a_page_is_for_those_whose_it_is(page: Page, creator: Creator) -> None:
    viewer, staff = make.member(), make.member(Member.Role.STAFF)

    seen = {who: of(member).get(address(page)).status_code for who, member in
            (("viewer", viewer), ("creator", creator.member), ("staff", staff))}  # fmt: skip

    mine = {Audience.STAFF: {"staff"}, Audience.CREATOR: {"creator"}, Audience.OPERATOR: set()}[page.audience]
    assert {who for who, status in seen.items() if status == 200} == mine
    assert seen["viewer"] == NO_VISITOR


@pytest.mark.parametrize("page", pages(Audience.CREATOR), ids=lambda page: page.slug)
def test_a_creator_sees_no_other_ones_studio(page: Page, creator: Creator) -> None:
    other = things.creator(make.member(Member.Role.CREATOR))

    answer = of(other.member).get(address(page, creator=creator.handle))

    assert answer.status_code == 200
    assert "Scales" not in answer.content.decode()


def test_no_such_page_and_no_such_creator_are_404(creator: Creator) -> None:
    staff = of(make.member(Member.Role.STAFF))

    assert staff.get("/admin/figures/nothing/").status_code == 404
    for page in pages(Audience.CREATOR)[:1]:
        assert staff.get(address(page, creator="nobody")).status_code == 404


@pytest.mark.parametrize("days", ["0", "-1", "x", "9999999", "٧", ""])
def test_odd_days_are_the_usual_ones(days: str, creator: Creator) -> None:
    answer = of(make.member(Member.Role.STAFF)).get(address(pages(Audience.STAFF)[0], days=days))

    assert answer.status_code == 200
    assert b'aria-current="true"' in answer.content
