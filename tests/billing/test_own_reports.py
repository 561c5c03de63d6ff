"""What Stripe, WeChat Pay and Alipay report by themselves: fetched, or in their own files uploaded by staff."""

import gzip
import tracemalloc
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import BytesIO
from itertools import chain, islice, repeat
from typing import Any

import pytest

from billing import operations, providers
from billing.models import Order, Payment, Payout, ReconciliationException, ReconciliationRun, Refund, ReportRow
from billing.operations import reconciliation
from billing.operations.reports import kept
from billing.providers.bills import wechatpay
from billing.providers.bills.chinese import BEIJING
from billing.tasks import reconcile
from catalog.models import Item
from kpplatform.tenancy.models import Member, Tenant
from tests import make
from tests.billing import shop
from tests.billing.doubles.bills import AT, Moved, alipay_flows, alipay_trades, packed, wechat_flows, wechat_trades
from tests.billing.doubles.wechatpay import FLOWS, TRADES
from tests.billing.paying import approved, earner, sent
from tests.billing.rails import Rail, paid_at, rail_on
from tests.billing.shop import bought, give_back, payment_of

DAY = datetime(2026, 5, 1, tzinfo=BEIJING)
NEXT = DAY + timedelta(days=1)
LATER = NEXT + timedelta(days=1)
BOOKED = datetime(2026, 5, 1, 20, tzinfo=BEIJING)


@pytest.fixture(params=["stripe", "wechatpay", "alipay"])
def rail(request: pytest.FixtureRequest, in_school: Tenant) -> Iterator[Rail]:
    with rail_on(request.param) as made:
        yield made


@pytest.fixture
def order(rail: Rail, viewer: Member, course: Item) -> Order:
    """An order paid there on the day, of which 40 yuan were given back, and a payout of 100."""
    made = bought(viewer, course, at=BOOKED)
    Payment.objects.update(provider=rail.name)
    refund = give_back(made, 4_000, at=BOOKED)
    operations.settle_refund(refund=refund, reference="r1", at=BOOKED)
    return made


def reported(rail: Rail, order: Order, *, fee: str = "0.60") -> None:
    """Let the provider report the payment and the refund."""
    payment, refund = payment_of(order), Refund.objects.get()
    if rail.name == "stripe":
        at, told = int(BOOKED.timestamp()), {"currency": "cny", "object": "charge"}
        charge = told | {"id": "ch_1", "amount": 10_000, "metadata": {"key": payment.key}}
        returned = told | {"id": "re_1", "amount": 4_000, "metadata": {"key": refund.key}}
        rail.double.moved("charge", charge, at=at, fee=int(fee.replace(".", "")))
        rail.double.moved("refund", returned, at=at, fee=24)
        rail.double.moved("stripe_fee", {"amount": 1, "currency": "cny"}, at=at)
        rail.double.moved("charge", charge, at=int(NEXT.timestamp()))
        return
    number = payment.key if rail.name == "alipay" else payment.key.removeprefix("pay_")
    paid, back = [Moved("4200", number, "100.00", fee)], [Moved("r1", refund.key, "40.00", "0.24")]
    if rail.name == "wechatpay":
        rail.double.bills[TRADES] = wechat_trades(paid, back)
    else:
        rail.double.bills["trade"] = alipay_trades(paid, back)


def fetched(rail: Rail) -> ReconciliationRun:
    return reconciliation.reconcile_day(provider=rail.name, since=DAY, until=NEXT, at=LATER)


def listed() -> list[tuple[str, str, int | None, int | None]]:
    found = ReconciliationException.objects.order_by("pk")
    return list(found.values_list("reason", "kind", "expected", "found"))


def test_what_a_provider_reports_is_as_it_was_booked(rail: Rail, order: Order) -> None:
    reported(rail, order)

    run = fetched(rail)

    assert (run.rows, run.matched, listed()) == (2, 2, [])
    assert list(ReportRow.objects.order_by("kind").values_list("kind", "amount", "fee", "at")) == [
        ("payment", 10_000, 60, BOOKED),
        ("refund", 4_000, 24, BOOKED),
    ]
    assert fetched(rail) == run


def test_a_fee_of_theirs_is_found(rail: Rail, order: Order) -> None:
    reported(rail, order, fee="0.67")

    fetched(rail)

    assert listed() == [("fee", "payment", 60, 67)]


def test_a_day_without_a_report_lacks_what_was_booked(rail: Rail, order: Order) -> None:
    at, span = NEXT + timedelta(days=3), {"provider": rail.name, "since": DAY, "until": NEXT}
    if rail.name != "stripe":
        with pytest.raises(reconciliation.NotReady):  # they say the same of a day that was not written down yet
            reconciliation.reconcile_day(**span, at=at - timedelta(minutes=1))  # type: ignore[arg-type]
        assert (ReconciliationRun.objects.count(), listed()) == (0, [])

    run = reconciliation.reconcile_day(**span, at=at)  # type: ignore[arg-type]

    assert (run.rows, listed()) == (0, [("missing", "payment", 10_000, None), ("missing", "refund", 4_000, None)])


def test_a_payout_and_its_return_are_reported(rail: Rail, course: Item) -> None:
    creator = earner(course)
    paid_at(creator, rail.name)
    payout = sent(approved(creator))
    out = [Moved("13", payout.key, "100.00")]
    if rail.name == "stripe":
        (made,) = rail.double.transfers.values()
        rail.double.moved("transfer", made, at=int(BOOKED.timestamp()))
        back = {"id": "trr_1", "transfer": made["id"], "amount": 10_000, "currency": "cny", "metadata": {}}
        rail.double.moved("transfer_refund", back, at=int(BOOKED.timestamp()))
    elif rail.name == "wechatpay":
        out = [Moved(payout.reference, payout.key.removeprefix("po_"), "100.00")]
        rail.double.bills[FLOWS] = wechat_flows(out, out)
    else:
        rail.double.bills["signcustomer"] = alipay_flows(out, out)
    Payout.objects.update(state="reversed")

    run = fetched(rail)

    kept = [("fee", payout.pk)] if rail.name == "alipay" else []
    assert (run.rows, run.matched, listed()) == (2 + len(kept), 2 + len(kept), [])
    assert Payout.objects.get().fee == 10 * len(kept)
    assert list(ReportRow.objects.order_by("kind").values_list("kind", "payout")) == [
        *kept,
        ("payout", payout.pk),
        ("reversal", payout.pk),
    ]


def test_a_bill_that_is_not_the_one_told_of_is_not_compared(in_school: Tenant) -> None:
    with rail_on("wechatpay") as rail:
        rail.double.bills[TRADES], rail.double.is_spoilt = wechat_trades(), True

        with pytest.raises(providers.ProviderUnavailable):
            fetched(rail)

    assert ReconciliationRun.objects.count() == 0


def test_one_report_that_cannot_be_had_keeps_no_other_waiting(
    rail: Rail, order: Order, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported(rail, order)
    shop.ordered(order.viewer, shop.course_for(500), key="sandbox")
    settings.SANDBOX_URL = "http://127.0.0.1:1"
    monkeypatch.setattr("billing.tasks.timezone.now", lambda: LATER)

    with pytest.raises(providers.ProviderUnavailable):
        reconcile.do(tenant=order.tenant)

    assert set(ReconciliationRun.objects.values_list("provider", flat=True)) == {rail.name}


HEADER = (
    "balance_transaction_id,created_utc,currency,gross,fee,net,reporting_category,source_id,payment_metadata[key]\n"
)
STRIPES = f"{HEADER}txn_1,2026-05-01 12:00:00,cny,100.00,0.60,99.40,charge,ch_1,{{key}}\n"


@pytest.mark.parametrize("name", ["stripe", "wechatpay", "wechatpay packed", "alipay", "alipay alone"])
def test_staff_upload_what_they_have_downloaded(in_school: Tenant, viewer: Member, course: Item, name: str) -> None:
    provider = name.split(maxsplit=1)[0]
    payment = payment_of(bought(viewer, course, at=BOOKED))
    Payment.objects.update(provider=provider)
    paid = [Moved("4200", payment.key.removeprefix("pay_" if provider == "wechatpay" else ""), "100.00", "0.60")]
    content = {
        "stripe": STRIPES.format(key=payment.key).encode(),
        "wechatpay": wechat_trades(paid).encode(),
        "wechatpay packed": gzip.compress(wechat_trades(paid).encode()),
        "alipay": packed(alipay_trades(paid)),
        "alipay alone": alipay_trades(paid).encode("gbk"),
    }[name]
    staff = make.client(make.member(Member.Role.STAFF))

    def upload(to: str) -> Any:
        span = f"since={DAY:%Y-%m-%d}T00:00:00Z&until={NEXT:%Y-%m-%d}T00:00:00Z"
        address = f"/api/v1/report-files/?provider={to}&{span}"
        return staff.post(address, content, content_type="application/octet-stream")

    made = upload(provider)

    assert (made.status_code, made.json()["rows"], made.json()["matched"]) == (201, 1, 1)
    assert upload("sandbox").json()["code"] == "bad_report"
    assert list(ReportRow.objects.values_list("payment", "amount", "fee", "at")) == [(payment.pk, 10_000, 60, BOOKED)]


GOOD = wechat_trades([Moved("4200", "a1", "100.00")] * 3)
GOOD_ALIPAY = alipay_trades([Moved("2026", "pay_1", "100.00")] * 3)


@pytest.mark.parametrize(
    ("provider", "content", "said"),
    [
        ("wechatpay", b"", "no report"),
        ("wechatpay", b"<xml>", "no report"),
        ("wechatpay", GOOD.replace("`100.00,`0.00,`\r\n", "`1O0.00,`0.00,`\r\n", 1).encode(), "Line 2"),
        ("wechatpay", GOOD.replace("CNY", "USD", 2).encode(), "Line 2"),
        ("wechatpay", GOOD.replace(AT, "2026-13-01 20:00:00", 1).encode(), "Line 2"),
        ("wechatpay", GOOD.replace("`3.0,", "`4.0,").encode(), "3 lines"),
        ("wechatpay", GOOD.partition("总交易单数")[0].encode(), "before its sums"),
        ("wechatpay", GOOD.replace("商户订单号", "别的").encode(), "lacks the columns"),
        ("wechatpay", gzip.compress(GOOD.encode())[:-30], "unpacked"),
        ("wechatpay", b"PK\x03\x04no archive", "unpacked"),
        ("wechatpay", GOOD.encode()[:400] + b"\xff\xff" + GOOD.encode()[400:], "no known way"),
        ("wechatpay", GOOD.replace("more", "m" * 20_000).encode(), "too long"),
        ("alipay", GOOD_ALIPAY.replace("100.00", "1e2", 1).encode("gbk"), "Line 6"),
        ("alipay", GOOD_ALIPAY.replace("\t,0.00", "", 2).encode("gbk"), "Line 6"),
        ("alipay", GOOD_ALIPAY.partition("#" + "-" * 40 + "业务明细列表结束")[0].encode("gbk"), "before its end"),
        ("alipay", GOOD.encode(), "no report of alipay"),
        ("stripe", STRIPES.format(key="k").replace("100.00", "100.001").encode(), "Line 2"),
        ("stripe", STRIPES.format(key="k").replace("gross", "grass").encode(), "lacks the columns"),
        ("stripe", STRIPES.format(key="k" * 200).encode(), "Line 2"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_line(provider: str, content: bytes, said: str) -> None:
    if said == "no report|too long|3 lines":
        assert (
            len(list(providers.read_file(BytesIO(content), provider=provider))) == 3
        )  # nothing is read behind the sums
        return
    with pytest.raises(providers.BadReport, match=said):
        list(providers.read_file(BytesIO(content), provider=provider))


def test_of_a_report_with_one_bad_line_nothing_is_written(in_school: Tenant) -> None:
    rows = providers.read_file(BytesIO(GOOD.replace("`3.0,", "`4.0,").encode()), provider="wechatpay")

    with pytest.raises(providers.BadReport):
        operations.reconcile(report=operations.Report("wechatpay", DAY, NEXT, rows), at=LATER)

    assert (ReconciliationRun.objects.count(), ReportRow.objects.count()) == (0, 0)


def test_a_long_report_is_compared_some_rows_at_a_time(in_school: Tenant, viewer: Member, course: Item) -> None:
    payment = payment_of(bought(viewer, course, at=BOOKED))
    Payment.objects.update(provider="wechatpay")
    ours = Moved("4200", payment.key.removeprefix("pay_"), "100.00", "0.60")
    others = [Moved(f"43{n}", f"x{n}", "1.00") for n in range(1_500)]
    rows = providers.read_file(BytesIO(wechat_trades([ours, *others, ours]).encode()), provider="wechatpay")

    run = operations.reconcile(report=operations.Report("wechatpay", DAY, NEXT, rows), at=LATER)

    assert (run.rows, run.matched, ReportRow.objects.count()) == (1_502, 1, 1_502)
    assert [reason for reason, *_ in listed()].count("unknown") == 1_500
    assert listed()[-1] == ("twice", "payment", None, 10_000)


def test_memory_stays_flat_whatever_the_length() -> None:
    header, line, sums, last = wechat_trades([Moved("4200", "a1", "100.00")]).removeprefix("\ufeff").splitlines()

    def peak(rows: int) -> int:
        lines = chain([header], repeat(line, rows), [sums, last.replace("`1.0", f"`{rows}")])
        tracemalloc.start()
        with kept(wechatpay.rows_of(lines)) as report:
            assert (report.count, sum(map(len, islice(report.batches(), 3)))) == (rows, min(rows, 3_000))
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(100)
    assert peak(5_000) < peak(2_500) + 300_000
