"""The page of campaigns says who was told and what it brought, with its bounds."""

from datetime import timedelta

import pytest

from catalog.models import Item
from kpplatform.console.pages import BY_SLUG
from kpplatform.tenancy.models import Member, Tenant
from recommender import operations
from recommender.models import Addressee, Campaign
from tests import make
from tests.catalog import things
from tests.kpplatform.test_figures import address, of
from tests.metrics.happened import watch
from tests.recommender.noticed import noticed, send
from tests.recommender.test_campaigns import portrayed
from tests.recommender.test_notices import begun

pytestmark = pytest.mark.usefixtures("_fresh_cache")


@pytest.fixture
def campaign(in_school: Tenant) -> Campaign:
    """Three hundred viewers, of whom half are told to come back."""
    portrayed(300)
    made = begun(held_out=0.5)
    send(made)
    return made


def after(campaign: Campaign, item: Item, *, reached: int, spared: int) -> dict[str, float]:
    """Let one in so many of the reached and of the held-out watch; return by how much more of the reached came back."""
    at = campaign.begun_at + timedelta(seconds=1)
    for number, row in enumerate(Addressee.objects.select_related("viewer").order_by("pk")):
        if number % (spared if row.is_held_out else reached) == 0:
            watch(row.viewer, item, at=at)
    read = operations.read_campaign(campaign=campaign, at=at + timedelta(minutes=1))
    by: dict[str, float] = read.figures["differences"]["reached"]["came_back"]
    return by


def said(language: str = "en") -> str:
    return of(make.member(Member.Role.STAFF), language).get(address(BY_SLUG["campaigns"])).content.decode()


def test_what_a_campaign_brought_stands_on_the_page_with_its_bounds(campaign: Campaign) -> None:
    by = after(campaign, things.video(), reached=1, spared=5)

    page = said()

    assert 0.4 < by["low"] < 0.8
    for shown in ("100.0%", f"{by['mean']:+.1%}", f"{by['low']:+.1%}", f"{by['high']:+.1%}", "more"):
        assert shown in page, shown
    assert "chance to leave from 0%" in page


def test_where_both_do_the_same_no_difference_is_told(campaign: Campaign) -> None:
    """An A/A test: of both every second one watches."""
    by = after(campaign, things.video(), reached=2, spared=2)

    assert by["low"] < 0 < by["high"]
    assert "no difference to tell" in said()


def test_the_page_of_a_tenant_without_campaigns_says_so_in_both_languages(in_school: Tenant) -> None:
    assert "There was no campaign yet." in said()
    assert "还没有活动。" in said("zh-hans")


def test_groups_stand_on_the_page(campaign: Campaign) -> None:
    ann = make.member(Member.Role.STAFF)
    noticed(campaign, by=ann)

    page = said()

    assert "payers" in page
    assert ann.name in page
