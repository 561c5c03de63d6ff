"""WeChat Pay's bills: of trades (payments, refunds, their fees) and of the account (what went to people).

Each is a day's, in Beijing. A line's values begin with a backtick; behind the last follow the names of the sums and the
sums themselves, the first of which is how many lines there are.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from tempfile import TemporaryFile
from typing import IO, Any, ClassVar
from urllib.parse import urlsplit

from django.conf import settings
from wechatpayv3.utils import build_authorization

from billing.providers.bills.chinese import BEIJING, Row, cny, day_of, each, fen, moment, must_have, named
from billing.providers.bills.spooling import fetched, text_of
from billing.providers.protocol import ProviderRefused, ProviderUnavailable
from billing.providers.reports import BadReport, Reported, reported
from billing.providers.wechatpay import PAYOUT_PREFIX, PREFIX, TIMEOUT_S, Wechat

TRADES, FLOWS = "交易时间,", "记账时间,"
OPERATION = "OPERATION"
TRADE_COLUMNS = {
    *("交易时间", "微信订单号", "商户订单号", "交易状态", "货币种类", "微信退款单号", "商户退款单号", "手续费"),
}
FLOW_COLUMNS = {"记账时间", "微信支付业务单号", "业务名称", "业务类型", "收支类型", "业务凭证号"}
OUR_BILL = re.compile(r"[0-9a-f]{32}")
TRANSFER = "转账"


@dataclass(frozen=True)
class WechatReports:
    """The bills of a tenant's merchant account."""

    driver: Wechat
    zone: ClassVar[tzinfo] = BEIJING
    ready_after: ClassVar[timedelta] = timedelta(hours=11)  # they are made from nine o'clock on
    may_be_late: ClassVar[timedelta] = timedelta(days=3)

    def fetch_report(self, *, since: datetime, until: datetime) -> Iterator[Reported]:
        day = day_of(since, until)
        bills = [("trade_bill", {"bill_type": "ALL"})]
        if self.driver.transfer_scene_id:  # what left for people stands in the account's bill
            # Of the account for operations, where the merchant has one, and else of the basic one.
            bills += [("fundflow_bill", {"account_type": kind}) for kind in ("BASIC", OPERATION)]
        for verb, asked in bills:
            try:
                told = self.driver.said(verb, bill_date=day, tar_type="GZIP", **asked)
            except ProviderRefused as no:
                # Nothing has moved that day, or it was not made yet, or there is no such account.
                if "NO_STATEMENT_EXIST" in no.detail or (OPERATION in asked.values() and "CREATING" not in no.detail):
                    continue
                raise
            with TemporaryFile() as file:
                self._download(told, file)
                yield from rows_of(text_of(file))

    def _download(self, told: Any, file: IO[bytes]) -> None:
        """Write a bill into the file, unpacked. Raises ProviderUnavailable unless it has the hash that was told."""
        to = urlsplit(told.get("download_url", ""))
        path = f"{to.path}?{to.query}"
        key = self.driver.client()._core._private_key  # noqa: SLF001  the package would read all of it into memory
        signed = build_authorization(path, "GET", self.driver.mchid, self.driver.cert_serial_no, key)
        digest = hashlib.sha1(usedforsecurity=False)
        headers = {"Authorization": signed, "Accept": "*/*"}
        fetched(settings.WECHATPAY_URL + path, file, timeout=TIMEOUT_S, headers=headers, digest=digest)
        if told.get("hash_type") != "SHA1" or digest.hexdigest() != told.get("hash_value", "").lower():
            raise ProviderUnavailable("WeChat Pay's bill is not the one that it has told of.")


def rows_of(lines: Iterable[str]) -> Iterator[Reported]:
    """Yield the rows of a bill, of trades or of the account. Raises BadReport."""
    numbered = enumerate((line.rstrip("\r\n") for line in lines), start=1)
    _, header = next(numbered, (0, ""))
    names = header.split(",")
    is_trades = header.startswith(TRADES)
    must_have(names, TRADE_COLUMNS if is_trades else FLOW_COLUMNS)
    return each(_detail(numbered, names), _trade if is_trades else _flow)


def _detail(numbered: Iterator[tuple[int, str]], names: list[str]) -> Iterator[tuple[int, Row]]:
    """Yield the lines before the sums. Raises BadReport when there are others than the sums say."""
    count = 0
    for number, line in numbered:
        if not line.strip():
            continue
        if not line.startswith("`"):
            _must_count(next(numbered, (0, ""))[1], count)
            return
        count += 1
        try:
            # The separator is ",`", so that a comma in a name is none.
            row = named(names, line[1:].split(",`"), wide=names[-1])
        except ValueError as error:
            raise BadReport(f"Line {number} cannot be read.") from error
        yield number, row
    raise BadReport("The bill ends before its sums.")


def _must_count(sums: str, count: int) -> None:
    told = sums.removeprefix("`").split(",")[0]
    if not re.fullmatch(r"\d+(\.0+)?", told) or int(told.partition(".")[0]) != count:
        raise BadReport(f"The bill has {count} lines, and says that it has {told or 'none'}.")


def _trade(row: Row) -> Reported:
    if row["货币种类"] != "CNY":
        raise ValueError(row["货币种类"])
    at, fee = moment(row["交易时间"]), fen(row["手续费"])
    if row["交易状态"] == "REFUND":
        amount = cny(row.get("申请退款金额") or row["退款金额"])
        names = {"reference": row["微信退款单号"], "key": row["商户退款单号"]}
        kind = "other" if row.get("退款状态") == "FAIL" else "refund"
        return reported(kind, **names, amount=amount, fee=fee, at=at)
    amount = cny(row.get("订单金额") or row["总金额"])
    names = {"reference": row["微信订单号"], "key": PREFIX + row["商户订单号"]}
    kind = "payment" if row["交易状态"] == "SUCCESS" else "other"
    return reported(kind, **names, amount=amount, fee=fee, at=at)


def _flow(row: Row) -> Reported | None:
    """Return what went to people under our numbers, or came back; the rest is in the other bill."""
    number = row["业务凭证号"]
    if TRANSFER not in row["业务名称"] + row["业务类型"] or not OUR_BILL.fullmatch(number):
        return None
    amount = cny(row.get("收支金额(元)") or row["收支金额（元）"])
    kind = {"支出": "payout", "收入": "reversal"}[row["收支类型"]]
    names = {"reference": row["微信支付业务单号"], "key": PAYOUT_PREFIX + number}
    return reported(kind, **names, amount=amount, fee=None, at=moment(row["记账时间"]))
