"""Coins: bought, given away as gifts, given back as money; what is owed for them is what was bought and not spent."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from billing import ledger, operations, queries
from billing.models import Account, Giving, Journal, Product, Refund, VirtualGift
from billing.operations import Wanted
from creators.models import Creator
from kpplatform.errors import Refused
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from tests import make
from tests.billing import shop
from tests.billing.shop import coined, yuan
from tests.billing.test_verification import by_hand
from tests.catalog import things
from tests.concurrency import at_once
from tests.conftest import COMMITTED, NOON


def rose(coins: int = 10) -> VirtualGift:
    staff = make.member(Member.Role.STAFF)
    return operations.make_gift(by=staff, name_zh="玫瑰", name_en="Rose", coins=coins, at=NOON)


def give(viewer: Member, gift: VirtualGift, creator: Creator, key: str = "gift", **more: Any) -> Giving:
    return operations.give_gift(viewer=viewer, gift=gift, creator=creator, key=key, **{"at": NOON} | more)


def coins_given(viewer: Member, gift: VirtualGift, creator: Creator, key: str) -> int:
    return give(viewer, gift, creator, key).coins


def wallet(viewer: Member) -> int:
    return ledger.coins(viewer, "CNY").balance.minor


def test_a_pack_of_coins_is_owed_to_its_buyer_and_its_cost_is_the_platforms(viewer: Member) -> None:
    coined(viewer, 10_000)

    assert wallet(viewer) == 10_000
    assert [of("CNY").balance.minor for of in (ledger.clearing, ledger.fees, ledger.processor)] == [-10_000, -60, 60]
    assert queries.ledger_report().is_good


def test_a_gift_is_the_creators_money_less_tax_and_fee(viewer: Member, in_school: Tenant) -> None:
    coined(viewer, 10_000)
    creator = things.creator()
    in_school.settings = {"tax_bps": 600}

    given_ = give(viewer, rose(53), creator, pieces=2, said=operations.Said(message="Bravo!"))

    assert (given_.coins, given_.amount, wallet(viewer)) == (106, 1_060, 8_940)
    assert [ledger.tax("CNY").balance.minor, ledger.pending(creator, "CNY").balance.minor] == [60, 900]
    assert ledger.fees("CNY").balance.minor == 100 - 60
    assert queries.ledger_report().is_good


def test_the_same_key_is_the_same_gift_and_no_other(viewer: Member, in_school: Tenant) -> None:
    coined(viewer, 1_000)
    gift, creator = rose(), things.creator()

    first = give(viewer, gift, creator)

    assert give(viewer, gift, creator) == first
    assert wallet(viewer) == 900
    with pytest.raises(operations.GiftKeyTaken):
        give(viewer, gift, creator, pieces=2)


def test_more_coins_than_there_are_give_nothing(viewer: Member) -> None:
    coined(viewer, 90)

    with pytest.raises(ledger.NotEnoughMoney):
        give(viewer, rose(10), things.creator())
    assert wallet(viewer) == 90


def test_what_is_no_gift_is_refused(viewer: Member) -> None:
    coined(viewer, 10_000)
    gift, creator, own = rose(), things.creator(), things.creator(viewer)
    staff = make.member(Member.Role.STAFF)

    with pytest.raises(operations.YourOwn):
        give(viewer, gift, own)
    for wrong in ({"pieces": 0}, {"pieces": 1_000}, {"item": things.course()}):
        with pytest.raises(operations.giving.NoSuchGift):
            give(viewer, gift, creator, **wrong)
    operations.withdraw_gift(gift=gift, by=staff, at=NOON)
    with pytest.raises(operations.GiftGone):
        give(viewer, gift, creator)


def test_only_so_much_is_given_in_a_day_of_the_tenant(viewer: Member, in_school: Tenant) -> None:
    in_school.settings = {"giving_daily": 1_000}
    coined(viewer, 10_000)
    gift, creator = rose(60), things.creator()
    give(viewer, gift, creator)

    with pytest.raises(operations.EnoughForToday):
        give(viewer, gift, creator, key="more")
    tip = Wanted(creator=creator, amount=yuan(401))
    with pytest.raises(operations.EnoughForToday):
        operations.order_all(viewer=viewer, wanted=[tip], key="tip", at=NOON)

    tomorrow = give(viewer, gift, creator, key="tomorrow", at=NOON + timedelta(hours=4))  # midnight in Shanghai
    assert tomorrow.coins == 60


def test_who_is_under_age_buys_no_coins_and_gives_nothing(viewer: Member) -> None:
    gift, creator = rose(), things.creator()
    coined(viewer, 1_000)
    Member.objects.filter(pk=viewer.pk).update(is_minor=True)
    viewer.refresh_from_db()

    with pytest.raises(operations.NotForMinors):
        give(viewer, gift, creator)
    with pytest.raises(operations.NotForMinors):
        coined(viewer, 1_000, key="again")
    with pytest.raises(operations.NotForMinors):
        shop.bought_all(viewer, Wanted(creator=creator, amount=yuan(100)), key="tip")


@pytest.mark.parametrize("columns", [{"amount": 1_005}, {"is_open": True}])
def test_a_pack_is_a_number_of_coins(viewer: Member, columns: dict[str, Any]) -> None:
    named = {"kind": Product.Kind.COINS, "title": "Coins", "amount": 1_000, "currency": "CNY", "made_at": NOON}
    pack = Product.objects.create(**named | columns)

    with pytest.raises(operations.NoWholeCoins):
        operations.order_all(viewer=viewer, wanted=[Wanted(product=pack)], key="key", at=NOON)


def test_unspent_coins_are_given_back_at_any_time_out_of_the_last_packs(viewer: Member) -> None:
    first, last = coined(viewer, 1_000, key="first"), coined(viewer, 500, key="last")
    give(viewer, rose(30), things.creator())
    later = NOON + timedelta(days=400)

    refunds = operations.return_coins(viewer=viewer, by=viewer, key="back", at=later)

    assert [(r.line.order_id, r.amount) for r in refunds] == [(last.pk, 500), (first.pk, 700)]
    assert operations.return_coins(viewer=viewer, by=viewer, key="back", at=later) == sorted(
        refunds, key=lambda r: r.pk
    )
    assert wallet(viewer) == 0
    with pytest.raises(operations.NoCoins):
        operations.return_coins(viewer=viewer, by=viewer, key="more", at=later)
    operations.fail_refund(refund=refunds[0], reason="no", at=later)
    assert (wallet(viewer), queries.ledger_report().is_good) == (500, True)


def test_spent_coins_are_not_given_back(viewer: Member) -> None:
    order = coined(viewer, 1_000)
    give(viewer, rose(30), things.creator())

    with pytest.raises(ledger.NotEnoughMoney):
        shop.give_back(order)


def test_staff_take_a_gift_back_once(viewer: Member) -> None:
    coined(viewer, 1_000)
    creator, staff = things.creator(), make.member(Member.Role.STAFF)
    given_ = give(viewer, rose(), creator)

    for _ in range(2):
        back = operations.take_back_gift(giving=given_, by=staff, reason="a mistake", at=NOON)

    assert (back.taken_back_by, back.reason, wallet(viewer)) == (staff, "a mistake", 1_000)
    assert (ledger.pending(creator, "CNY").balance.minor, queries.ledger_report().is_good) == (0, True)
    with pytest.raises(Refused, match="staff"):
        operations.take_back_gift(giving=given_, by=viewer, reason="", at=NOON)


def test_a_gift_matures_with_the_refund_window_and_is_owed_if_it_is_then_taken_back(viewer: Member) -> None:
    coined(viewer, 1_000)
    creator, staff = things.creator(), make.member(Member.Role.STAFF)
    given_ = give(viewer, rose(), creator)
    week = NOON + timedelta(days=7)

    assert operations.mature_gifts(at=week - timedelta(seconds=1)) == 0
    assert [operations.mature_gifts(at=week) for _ in range(2)] == [1, 0]
    names = (ledger.pending(creator, "CNY"), ledger.available(creator, "CNY"))
    assert [name.balance.minor for name in names] == [0, 90]
    paid_out = [(names[1], ledger.clearing("CNY"), yuan(60))]
    ledger.post(kind=Journal.Kind.PAYOUT, key="out", transfers=paid_out, at=week)
    operations.take_back_gift(giving=given_, by=staff, reason="stolen card", at=week)

    debt = ledger.creators(Account.Kind.CLAWBACK, creator.pk, "CNY")
    assert (wallet(viewer), names[1].balance.minor, debt.balance.minor) == (1_000, 0, -60)
    assert queries.ledger_report().is_good


@COMMITTED
def test_thirty_two_clients_at_once_spend_what_there_is_and_no_more(school: Tenant) -> None:
    with scope(school):
        viewer, creator, gift = make.member(), things.creator(), rose(30)
        coined(viewer, 1_000)

    ends = at_once(school, [partial(coins_given, viewer, gift, creator, key=f"{n}") for n in range(32)])

    assert (ends.count(30), sum(isinstance(end, ledger.NotEnoughMoney) for end in ends)) == (3, 29)
    with scope(school):
        assert wallet(viewer) == 100
        assert shop.books_are_good()


@COMMITTED
def test_a_days_limit_holds_at_once(school: Tenant) -> None:
    with scope(school):
        school.settings = {"giving_daily": 1_000}
        viewer, creator, gift = make.member(), things.creator(), rose(30)
        coined(viewer, 5_000)

    ends = at_once(school, [partial(coins_given, viewer, gift, creator, key=f"{n}") for n in range(8)])

    assert (ends.count(30), sum(isinstance(end, operations.EnoughForToday) for end in ends)) == (3, 5)


STEPS = some.lists(
    some.one_of(
        some.tuples(some.just("buy"), some.integers(1, 300)),
        some.tuples(some.just("give"), some.integers(1, 200)),
        some.tuples(some.sampled_from(["back", "return", "fail"]), some.just(0)),
    ),
    max_size=8,
)


@settings(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_whatever_happens_what_is_owed_is_what_was_bought_and_not_spent(steps: Any, in_school: Tenant) -> None:
    viewer, creator, staff = make.member(), things.creator(), make.member(Member.Role.STAFF)
    in_school.settings = {"giving_daily": 1_000, "tax_bps": 600}
    for turn, (kind, coins) in enumerate(steps):
        try:
            if kind == "buy":
                coined(viewer, coins * 10, key=f"{turn}")
            elif kind == "give":
                give(viewer, rose(coins), creator, key=f"{turn}")
            elif kind == "return":
                operations.return_coins(viewer=viewer, by=viewer, key=f"{turn}", at=NOON)
            elif kind == "back" and (last := Giving.objects.filter(viewer=viewer).last()):
                operations.take_back_gift(giving=last, by=staff, reason="", at=NOON)
            elif last_refund := Refund.objects.filter(asked_by=viewer).last():
                operations.fail_refund(refund=last_refund, reason="no", at=NOON)
        except Refused:
            pass
        assert wallet(viewer) >= 0
        assert queries.given_on_day(viewer, currency="CNY", at=NOON) <= yuan(1_000)
        assert shop.books_are_good()


@COMMITTED
def test_coins_that_nobody_bought_are_found(school: Tenant) -> None:
    with scope(school):
        viewer = make.member()
        coined(viewer, 1_000)
        given_ = give(viewer, rose(), things.creator())
        account = ledger.coins(viewer, "CNY")

    by_hand(school, f"UPDATE billing_giving SET amount = amount + 1 WHERE id = {given_.pk}")

    with scope(school):
        faults = queries.ledger_report().faults
    assert [(fault.promise, fault.table) for fault in faults] == [("L2", "account")]
    assert str(account) in faults[0].what


def test_coins_given_back_take_the_providers_fee_back_with_them(viewer: Member) -> None:
    order = coined(viewer, 10_000)
    line = order.lines.get()

    def fees() -> tuple[int, int]:
        return ledger.fees("CNY").balance.minor, ledger.processor("CNY").balance.minor

    first = operations.refund(line=line, by=viewer, amount=yuan(3_333), key="a third", at=NOON)
    assert fees() == (-41, 41)
    operations.fail_refund(refund=first, reason="no", at=NOON)
    assert fees() == (-60, 60)
    for part in (3_333, 6_666, 1):
        operations.refund(line=line, by=viewer, amount=yuan(part), key=f"{part}", at=NOON)
    assert fees() == (0, 0)
    assert queries.ledger_report().is_good
