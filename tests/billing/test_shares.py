"""Whose a share is: those who agreed on a part, those who brought the buyer, and the creator; to the minor unit."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pytest_django import DjangoAssertNumQueries

from billing import ledger, operations
from billing.models import AffiliateTerms, LineShare, OrderLine, Plan
from billing.money import Money
from billing.operations import Wanted
from billing.operations.shares import divide
from billing.providers.sandbox.server import Server
from catalog.models import Item
from catalog.operations import NotYours
from creators.models import Creator
from kpplatform.errors import Refused
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import members, shop
from tests.catalog import things
from tests.conftest import NOON

# Of 10,000 the provider keeps 60 and the platform 1,000.
SHARE = 8_940


def pending(creator: Creator) -> int:
    return ledger.pending(creator, "CNY").balance.minor


def working_on(course: Item, bps: int) -> Creator:
    """Return a creator who agreed on a part of the course's share."""
    friend = things.creator()
    asked = operations.propose_collaboration(by=course.creator.member, thing=course, creator=friend, bps=bps, at=NOON)
    operations.agree(collaboration=asked, by=friend.member, at=NOON)
    return friend


def affiliate(recruiter: str = "", creator: Creator | None = None) -> tuple[Creator, str]:
    creator = creator or things.creator()
    return creator, operations.become_affiliate(member=creator.member, recruiter=recruiter, at=NOON).code


def leave(course: Item, first: int, second: int = 0) -> AffiliateTerms:
    creator = course.creator
    return operations.set_affiliate_terms(
        creator=creator, by=creator.member, first_bps=first, second_bps=second, at=NOON
    )


def brought(code: str, at: datetime = NOON) -> Member:
    viewer = make.member()
    operations.refer(viewer=viewer, code=code, at=at)
    return viewer


def test_a_collaborator_gets_the_part_agreed_on_and_gives_it_back_with_a_refund(course: Item) -> None:
    friend = working_on(course, 3_333)

    order = shop.bought(make.member(), course)

    assert (pending(course.creator), pending(friend)) == (5_960, 2_980)
    assert set(LineShare.objects.values_list("role", "amount")) == {("owner", 5_960), ("collaborator", 2_980)}
    shop.give_back(order, 1)
    shop.give_back(order, key="rest")
    assert (pending(course.creator), pending(friend)) == (0, 0)
    assert shop.books_are_good()


def test_what_is_agreed_after_the_order_or_has_ended_or_was_not_agreed_does_not_count(course: Item) -> None:
    order = shop.ordered(make.member(), course)
    friend = working_on(course, 5_000)
    asked = operations.propose_collaboration(
        by=course.creator.member, thing=course, creator=things.creator(), bps=5_000, at=NOON
    )
    operations.capture(payment=shop.payment_of(order), reference="co", at=NOON)
    assert pending(course.creator) == SHARE

    shop.bought(make.member(), course)
    assert pending(friend) == SHARE // 2
    operations.end_collaboration(collaboration=asked, by=course.creator.member, at=NOON)
    with pytest.raises(operations.CollaborationOver):
        operations.agree(collaboration=asked, by=asked.creator.member, at=NOON)


def test_no_more_is_shared_than_there_is_and_only_with_others(course: Item) -> None:
    owner = course.creator.member
    friend = working_on(course, 6_000)

    for creator, bps, code in (
        (things.creator(), 4_001, "too_much_shared"),
        (friend, 1, "already_sharing"),
        (course.creator, 1, "bad_share"),
        (things.creator(), 0, "bad_share"),
    ):
        with pytest.raises(Refused) as refused:
            operations.propose_collaboration(by=owner, thing=course, creator=creator, bps=bps, at=NOON)
        assert refused.value.code == code
    with pytest.raises(NotYours):
        operations.propose_collaboration(by=friend.member, thing=course, creator=things.creator(), bps=1, at=NOON)


def test_who_brings_a_buyer_and_who_recruited_them_get_their_parts_and_lose_them_with_a_refund(course: Item) -> None:
    above, code_above = affiliate()
    near, code = affiliate(code_above)
    leave(course, 1_000, 500)

    order = shop.bought(brought(code), course)

    assert (pending(near), pending(above), pending(course.creator)) == (894, 447, 7_599)
    shop.give_back(order)
    assert (pending(near), pending(above), pending(course.creator)) == (0, 0, 0)
    assert shop.books_are_good()


def test_there_are_two_levels_and_no_third(course: Item) -> None:
    top, code_top = affiliate()
    _, code_middle = affiliate(code_top)
    _, code = affiliate(code_middle)
    leave(course, 1_000, 500)

    shop.bought(brought(code), course)

    assert pending(top) == 0
    assert LineShare.objects.count() == 3


@pytest.mark.parametrize(("days", "gets"), [(29, 894), (30, 0)])
def test_a_referral_counts_for_a_while(course: Item, days: int, gets: int) -> None:
    near, code = affiliate()
    leave(course, 1_000)

    shop.bought(brought(code, NOON - timedelta(days=days)), course)

    assert pending(near) == gets


def test_a_tenant_says_how_long_a_referral_counts(course: Item, in_school: Tenant) -> None:
    near, code = affiliate()
    leave(course, 1_000)
    in_school.settings = {"affiliate_days": 1}

    shop.bought(brought(code, NOON - timedelta(days=2)), course)

    assert pending(near) == 0


def test_the_last_link_counts(course: Item) -> None:
    (first, code_first), (last, code_last) = affiliate(), affiliate()
    leave(course, 1_000)
    viewer = brought(code_first, NOON - timedelta(days=2))
    operations.refer(viewer=viewer, code=code_last, at=NOON - timedelta(days=1))

    shop.bought(viewer, course)

    assert (pending(first), pending(last)) == (0, 894)


def test_nobody_gains_by_bringing_themselves(course: Item) -> None:
    own, code = affiliate(creator=course.creator)
    assert own.member
    leave(course, 1_000, 500)

    with pytest.raises(operations.SelfReferral):
        operations.refer(viewer=own.member, code=code, at=NOON)
    shop.bought(brought(code), course)
    assert (pending(own), LineShare.objects.count()) == (SHARE, 0)
    # Whom one recruited brings oneself: the second level falls away.
    near, below = affiliate()
    affiliate(below)
    _, code_third = affiliate(below)
    operations.refer(viewer=near.member, code=code_third, at=NOON)
    shop.bought(near.member, course, key="own recruit")
    assert pending(near) == 0


def test_affiliates_and_collaborators_share_what_was_not_taken_by_a_coupon(course: Item) -> None:
    friend, (near, code) = working_on(course, 5_000), affiliate()
    leave(course, 1_000)
    coupon = shop.coupon(course.creator, bps=5_000)

    shop.bought_all(brought(code), Wanted(item=course), coupon=coupon.code)

    assert (pending(near), pending(friend), pending(course.creator)) == (447, 2_012, 2_011)
    assert shop.books_are_good()


def test_terms_are_the_creators_own_and_kept(course: Item) -> None:
    before, now = leave(course, 1_000), leave(course, 2_000)

    before.refresh_from_db()
    assert (before.ends_at, now.ends_at) == (NOON, None)
    with pytest.raises(operations.BadShare):
        leave(course, 9_000, 1_001)
    with pytest.raises(NotYours):
        operations.set_affiliate_terms(creator=course.creator, by=make.member(), first_bps=1, second_bps=0, at=NOON)


@given(
    share=some.integers(0, 10**14),
    brought=some.lists(some.integers(0, 5_000), max_size=2),
    worked=some.lists(some.integers(0, 1_000), max_size=8),
    currency=some.sampled_from(["JPY", "CNY", "BHD"]),
)
def test_the_parts_are_the_share_to_the_last_unit(
    share: int, brought: list[int], worked: list[int], currency: str
) -> None:
    parts = divide(Money(share, currency), brought=brought, worked=worked)

    assert len(parts) == len(brought) + len(worked) + 1
    assert sum(part.minor for part in parts) == share
    assert all(part.minor >= 0 for part in parts)
    for part, bps in zip(parts, brought, strict=False):
        assert abs(part.minor - share * bps / 10_000) < 1 + share / 10**12


def test_it_is_agreed_and_brought_over_http(course: Item, agency: Tenant) -> None:
    owner, friend, viewer = course.creator.member, things.creator(), make.member()
    clients = [make.client(of) for of in (owner, friend.member, viewer)]

    asked = clients[0].post("/api/v1/collaborations/", {"item": course.pk, "creator": friend.handle, "bps": 2_500})
    at = f"/api/v1/collaborations/{asked.json()['id']}/"
    assert (asked.status_code, clients[0].post(f"{at}agree/").json()["code"]) == (201, "not_yours")
    assert clients[2].post(f"{at}agree/").status_code == 404
    assert clients[1].post(f"{at}agree/").json()["agreed_at"]
    code = clients[1].post("/api/v1/affiliates/", {}).json()["code"]
    assert clients[1].post("/api/v1/affiliates/", {}).json()["code"] == "already_an_affiliate"
    assert clients[2].post("/api/v1/affiliates/", {}).json()["code"] == "not_a_creator"
    assert clients[2].post("/api/v1/referrals/", {"code": "NOBODY"}).json()["code"] == "no_such_affiliate"
    assert clients[2].post("/api/v1/referrals/", {"code": code}).status_code == 201
    clients[2].post("/api/v1/orders/", {"item": course.pk})
    shares = clients[1].get("/api/v1/shares/").json()["results"]
    assert [(of["role"], of["amount"], of["paid_at"]) for of in shares] == [("collaborator", 2_235, None)]
    with scope(agency):
        stranger = make.client(make.member(Member.Role.ADMIN))
    assert stranger.get("/api/v1/shares/").json()["results"] == []
    assert stranger.post("/api/v1/referrals/", {"code": code}).status_code == 404


def test_pages_cost_the_same_however_much_is_shared(
    course: Item, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(3):
        working_on(course, 100)
        shop.bought(make.member(), course, key=f"{number}")
    client = make.client(course.creator.member)
    for path in ("shares", "collaborations", "affiliates", "affiliate-terms"):
        client.get(f"/api/v1/{path}/")
        with django_assert_max_num_queries(8):
            client.get(f"/api/v1/{path}/")
    assert len(client.get("/api/v1/shares/").json()["results"]) == 3
    assert OrderLine.objects.count() == 3


def test_a_renewal_is_shared_as_the_first_month_was(sandbox: Server, viewer: Member, club: Plan) -> None:
    owner, friend = club.product.creator, things.creator()
    asked = operations.propose_collaboration(by=owner.member, thing=club.product, creator=friend, bps=5_000, at=NOON)
    operations.agree(collaboration=asked, by=friend.member, at=NOON)
    bringer, code = affiliate()
    operations.set_affiliate_terms(creator=owner, by=owner.member, first_bps=1_000, second_bps=0, at=NOON)
    operations.refer(viewer=viewer, code=code, at=NOON + timedelta(days=2))
    subscription = members.joined(sandbox, viewer, club)

    members.travel(subscription.ends_at)

    # Of 26.82: the first month is halved; of the second a tenth is the affiliate's, for 30 days.
    assert [pending(creator) for creator in (owner, friend, bringer)] == [1_341 + 1_207, 1_341 + 1_207, 268]
    assert shop.books_are_good()
