"""Alipay's bills: of trades (payments, refunds, their fees) and of the account (what went to people).

Each is a day's, in Beijing: an archive of files in GBK, whose lines stand between a heading and an end.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from tempfile import TemporaryFile
from typing import ClassVar

from billing.providers.alipay import TIMEOUT_S, Alipay
from billing.providers.bills.chinese import BEIJING, Row, cny, day_of, each, fen, moment, must_have, named
from billing.providers.bills.spooling import fetched, texts_in
from billing.providers.protocol import ProviderRefused, ProviderUnavailable
from billing.providers.reports import BadReport, Reported, bad_line, reported

TRADES, FLOWS = "#支付宝业务明细查询", "#支付宝账务明细查询"
SUMS = ("#支付宝业务汇总查询", "#支付宝账务汇总查询")
END = "明细列表结束"
TRADE_COLUMNS = {
    "支付宝交易号",
    "商户订单号",
    "业务类型",
    "完成时间",
    "订单金额（元）",
    "退款批次号/请求号",
    "服务费（元）",
}
FLOW_COLUMNS = {"业务流水号", "商户订单号", "发生时间", "收入金额（+元）", "支出金额（-元）"}
FREE_TEXT = "商品名称"
KINDS = {"交易": "payment", "退款": "refund"}
OURS = "po_"
FEES = {"收费": "fee", "退费": "other"}


@dataclass(frozen=True)
class AlipayReports:
    """The bills of a tenant's account."""

    driver: Alipay
    zone: ClassVar[tzinfo] = BEIJING
    ready_after: ClassVar[timedelta] = timedelta(hours=11)  # they are made from nine o'clock on
    may_be_late: ClassVar[timedelta] = timedelta(days=3)

    def fetch_report(self, *, since: datetime, until: datetime) -> Iterator[Reported]:
        day = day_of(since, until)
        # What left for people stands in the account's bill, which only who pays them needs, and perhaps may have.
        for kind in ("trade", "signcustomer") if self.driver.has_certificates else ("trade",):
            try:
                told = self.driver.said("alipay.data.dataservice.bill.downloadurl.query", bill_type=kind, bill_date=day)
            except (ProviderRefused, ProviderUnavailable) as no:
                if "bill_not_exist" not in no.detail.lower():
                    raise
                continue  # nothing has moved that day, or it was not made yet
            with TemporaryFile() as file:
                # Its address is good for half a minute.
                fetched(told.get("bill_download_url", ""), file, timeout=TIMEOUT_S)
                for lines in texts_in(file):
                    yield from rows_of(lines)


def rows_of(lines: Iterable[str]) -> Iterator[Reported]:
    """Yield the rows of a bill, of trades or of the account; none of its sums. Raises BadReport."""
    numbered = enumerate((line.strip() for line in lines), start=1)
    _, title = next(numbered, (0, ""))
    if title.startswith(SUMS):
        return iter(())
    names = _names(numbered)
    is_trades = title.startswith(TRADES)
    must_have(names, TRADE_COLUMNS if is_trades else FLOW_COLUMNS)
    return each(_detail(numbered, names), _trade if is_trades else _flow)


def _names(numbered: Iterator[tuple[int, str]]) -> list[str]:
    for _, line in numbered:
        if line and not line.startswith("#"):
            return [name.strip() for name in line.split(",")]
    return []


def _detail(numbered: Iterator[tuple[int, str]], names: list[str]) -> Iterator[tuple[int, Row]]:
    for number, line in numbered:
        if line.startswith("#") and END in line:
            return
        if line.startswith("#") or not line:
            continue
        try:
            row = named(names, [value.strip() for value in line.split(",")], wide=FREE_TEXT)
        except ValueError as error:
            raise bad_line(number) from error
        yield number, row
    raise BadReport("The bill ends before its end.")


def _trade(row: Row) -> Reported:
    kind = KINDS.get(row["业务类型"], "other")
    # A refund is known by our number for it, as it is to us.
    number = row["退款批次号/请求号"] if kind == "refund" else ""
    return reported(
        kind,
        reference=number or row["支付宝交易号"],
        key=number or row["商户订单号"],
        amount=cny(row["订单金额（元）"]),
        fee=fen(row["服务费（元）"]),
        at=moment(row["完成时间"]),
    )


def _flow(row: Row) -> Reported | None:
    """Return what went to people under our numbers, what it cost, or came back; the rest is in the other bill."""
    if not row["商户订单号"].startswith(OURS):
        return None
    came, went = cny(row["收入金额（+元）"] or "0"), cny(row["支出金额（-元）"] or "0")
    kind, amount = ("payout", went) if went else ("reversal", came)
    if fees := [of for name, of in FEES.items() if name in row.get("业务类型", "")]:
        kind = fees[0]
    # It has other numbers here than where it was made; ours is the same.
    names = {"reference": "", "key": row["商户订单号"]}
    return reported(kind, **names, amount=amount, fee=None, at=moment(row["发生时间"]))
