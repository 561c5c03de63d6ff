"""Creators paid through Stripe, WeChat Pay and Alipay, each over HTTP on a double that speaks its protocol."""

import json
import signal

import pytest

from billing import ledger, providers
from billing.models import Payout, PayoutAccount, PayoutChange
from billing.operations import paying
from billing.operations.payout_accounts import destination_of
from billing.providers.sandbox.server import Server
from catalog.models import Item
from kpplatform.errors import Refused
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope
from tests.billing import shop
from tests.billing.paying import LATER, approved, earner, now, resolved, sent, staff
from tests.billing.rails import TO, Rail, addresses, connect, paid_at, rail_on, served
from tests.billing.shop import jobs, yuan
from tests.billing.test_crashes import run
from tests.billing.test_maturity import stands
from tests.conftest import COMMITTED

RAILS = ("stripe", "wechatpay", "alipay")


def test_a_creator_is_paid(rail: Rail, payout: Payout) -> None:
    done = sent(payout)
    if rail.name == "wechatpay":
        assert (done.state, jobs("resolve_payout")) == ("submitted", 1)
        assert json.loads(done.confirmation) == {
            "mchId": "1900000001",
            "appId": "wx1",
            "package": f"package of {payout.key.removeprefix('po_')}",
        }
        assert resolved(payout).state == "submitted", "Nobody has accepted it yet."
        rail.accept()
        done = resolved(payout)

    assert (done.state, rail.paid, stands(done.creator)) == ("paid", [10_000], {"available": 7_880})
    assert done.reference in json.dumps(list(rail.double.transfers.values()))
    assert ledger.clearing("CNY").balance == yuan(-20_000 + 10_000)
    told = PayoutChange.objects.filter(payout=payout).count()
    assert told == (5 if rail.name == "wechatpay" else 4)
    assert shop.books_are_good()


def test_what_goes_out_says_whom_to_pay(rail: Rail, payout: Payout) -> None:
    sent(payout)

    (row,) = rail.double.transfers.values()
    if rail.name == "stripe":
        assert (row["destination"], row["transfer_group"]) == (TO["stripe"].number, payout.key)
        assert row["metadata"] == {"tenant": "school", "key": payout.key}
    elif rail.name == "wechatpay":
        assert (row["openid"], row["user_name"]) == (TO["wechatpay"].number, "张三"), "The name could be opened there."
    else:
        assert row["payee"] == {
            "identity": "zhangsan@example.com",
            "identity_type": "ALIPAY_LOGON_ID",
            "name": "张三",
        }


@pytest.mark.parametrize("fault", ["500_after", "slow"])
def test_an_answer_lost_after_the_money_has_left_is_unknown_until_the_provider_is_asked(
    rail: Rail, payout: Payout, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(f"billing.providers.{rail.name}.TIMEOUT_S", 0.2)
    rail.fail(fault, seconds=0.4)

    assert (sent(payout).state, jobs("resolve_payout")) == ("unknown", 1)
    assert sent(payout).state == "unknown", "It is not told a second time."
    rail.accept()

    assert (resolved(payout).state, rail.paid) == ("paid", [10_000])
    assert shop.books_are_good()


def test_an_unclear_answer_of_alipay_is_unknown(in_school: Tenant, course: Item) -> None:
    with rail_on("alipay") as rail:
        creator = earner(course)
        paid_at(creator, "alipay")
        rail.fail("unclear")

        assert sent(payout := approved(creator)).state == "unknown"
        assert (resolved(payout).state, rail.paid) == ("paid", [10_000])


def test_what_the_provider_never_heard_of_is_told_again_under_the_same_key(rail: Rail, payout: Payout) -> None:
    paying.begin_payout(payout=payout, at=LATER)  # and here somebody died
    assert not paying.begin_payout(payout=payout, at=LATER)
    assert now(payout).state == "unknown"

    assert (resolved(payout).state, rail.paid) == ("approved", [])
    sent(payout)
    rail.accept()
    assert (now(payout).state, rail.paid) in [("paid", [10_000]), ("submitted", [10_000])]


def test_what_the_provider_refuses_is_the_creators_again(rail: Rail, course: Item) -> None:
    creator = earner(course)
    paid_at(creator, rail.name, **({"number": "nobody@example.com"} if rail.name == "alipay" else {}))
    rail.double.balance, rail.double.transfers_are = 1, "FAIL"  # whichever it knows

    payout = sent(approved(creator))

    assert (payout.state, bool(payout.reason)) == ("failed", True)
    assert stands(creator) == {"available": 17_880}
    assert shop.books_are_good()


def test_a_provider_that_is_away_leaves_it_unknown(rail: Rail, payout: Payout, settings: object) -> None:
    for name, address in addresses(rail.name, "http://127.0.0.1:1").items():
        setattr(settings, name, address)

    assert sent(payout).state == "unknown"
    assert resolved(payout).state == "unknown"


def test_stripe_takes_a_transfer_back_and_once(in_school: Tenant, course: Item) -> None:
    with rail_on("stripe") as rail:
        creator = earner(course)
        paid_at(creator, "stripe")
        payout = sent(approved(creator))
        rail.double.fail("/v1/transfers/tr_1/reversals", "500_after")
        done = paying.reverse_payout(payout=payout, by=staff(), why="paid by mistake", at=LATER)

        assert (done.state, stands(creator)) == ("reversed", {"available": 17_880})
        assert rail.double.transfers["tr_1"]["amount_reversed"] == 10_000
        assert ledger.clearing("CNY").balance == yuan(-20_000)


def test_a_transfer_that_cannot_be_taken_back_is_not_booked(in_school: Tenant, course: Item) -> None:
    with rail_on("stripe") as rail:
        creator = earner(course)
        paid_at(creator, "stripe")
        payout = sent(approved(creator))
        rail.double.transfers["tr_1"]["amount_reversed"] = 1  # somebody took a part of it back by hand

        with pytest.raises(providers.ProviderRefused):
            paying.reverse_payout(payout=payout, by=staff(), why="paid by mistake", at=LATER)

        assert now(payout).state == "paid"


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("stripe", {"number": "6222020200112233"}),
        ("stripe", {"bank": "ICBC"}),
        ("wechatpay", {"number": "short"}),
        ("wechatpay", {"holder": " "}),
        ("alipay", {"number": "zhangsan"}),
        ("alipay", {"number": "12345678901234567890"}),
    ],
)
def test_what_is_nobodys_name_there_is_refused(
    in_school: Tenant, course: Item, name: str, changed: dict[str, str]
) -> None:
    with rail_on(name), pytest.raises(paying.BadAccount):
        paid_at(course.creator, name, **changed)


def test_a_way_that_the_tenant_has_not_is_refused(in_school: Tenant, course: Item) -> None:
    for name in RAILS:
        with pytest.raises(providers.NotConnected):
            paid_at(course.creator, name)


def test_where_a_creator_is_paid_is_sealed(rail: Rail, course: Item) -> None:
    paid_at(course.creator, rail.name)

    account = PayoutAccount.objects.get()

    assert (destination_of(account), account.hint) == (TO[rail.name], TO[rail.name].number[-4:])
    assert TO[rail.name].number.encode() not in bytes(account.details)


def test_yuan_only_where_there_is_nothing_else(in_school: Tenant, course: Item) -> None:
    creator = course.creator
    for name in ("wechatpay", "alipay"):
        with rail_on(name), pytest.raises(Refused) as no:
            paying.set_payout_account(
                creator=creator, by=creator.member, currency="USD", rail=name, to=TO[name], at=LATER
            )
        assert no.value.code == "bad_account"


@COMMITTED
@pytest.mark.parametrize("name", RAILS)
def test_a_crash_while_paying_out_pays_once(school: Tenant, sandbox: Server, name: str) -> None:
    point = "before_payout_call" if name == "alipay" else "after_payout_call"
    with served(name) as rail:
        env = addresses(name, rail.double.address)
        with scope(school):
            connect(name)
            creator = earner(shop.course_for(10_000))
            paid_at(creator, name)
            payout = approved(creator)
        assert run(sandbox, "pay_out", payout.pk, crash_at=point, **env) == -signal.SIGKILL
        for _ in range(2):
            with scope(school):
                rail.accept()
                sent(payout)
                resolved(payout)

    assert rail.paid == [10_000]
    with scope(school):
        assert now(payout).state == "paid"
        assert ledger.clearing("CNY").balance == yuan(-20_000 + 10_000)
        assert shop.books_are_good()
