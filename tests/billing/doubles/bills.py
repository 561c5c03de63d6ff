"""Bills as WeChat Pay and Alipay write them, of the rows that a test names."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

WECHAT_TRADES = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,"
    "代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,"
    "申请退款金额,费率备注"
)
WECHAT_SUMS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
WECHAT_FLOWS = (
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,"
    "收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号"
)
FLOW_SUMS = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额"
ALIPAY_TRADES = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,"
    "商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,"
    "卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"
)
ALIPAY_FLOWS = (
    "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,"
    "收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注"
)
AT = "2026-05-01 20:00:00"
LINE = "-" * 40


@dataclass(frozen=True)
class Moved:
    """What a bill has a row of: theirs, ours, and in yuan how much, and what was kept of it."""

    reference: str
    key: str
    yuan: str
    fee: str = "0.00"


def wechat_trades(paid: Sequence[Moved] = (), back: Sequence[Moved] = ()) -> str:
    rows = [
        f"{AT},`wx1,`1900000001,`0,`,`{row.reference},`{row.key},`oUpF8,`NATIVE,`SUCCESS,`OTHERS,`CNY,`{row.yuan},`0.00,`0,`0,"
        f"`0.00,`0.00,`,`,`Order 1, and more,`1,`{row.fee}000,`0.60%,`{row.yuan},`0.00,`"
        for row in paid
    ] + [
        f"{AT},`wx1,`1900000001,`0,`,`42000,`x,`oUpF8,`NATIVE,`REFUND,`OTHERS,`CNY,`0.00,`0.00,`{row.reference},`{row.key},"
        f"`{row.yuan},`0.00,`ORIGINAL,`SUCCESS,`Order 1,`1,`-{row.fee}000,`0.60%,`0.00,`{row.yuan},`"
        for row in back
    ]
    return _wechat(WECHAT_TRADES, rows, WECHAT_SUMS, 6)


def wechat_flows(out: Sequence[Moved] = (), back: Sequence[Moved] = ()) -> str:
    rows = [f"{AT},`42000,`42001,`交易,`交易,`收入,`100.00,`100.00,`system,`结算总金额100.00元;含手续费0.60元,`a1"]
    rows += [
        f"{AT},`{row.reference},`13{n},`商家转账,`商家转账,`{way},`{row.yuan},`0.00,`1900000001API,`Payout,`{row.key}"
        for way, rows_of in (("支出", out), ("收入", back))
        for n, row in enumerate(rows_of)
    ]
    return _wechat(WECHAT_FLOWS, rows, FLOW_SUMS, 4)


def _wechat(header: str, rows: list[str], sums: str, more: int) -> str:
    lines = [header, *(f"`{row}" for row in rows), sums, f"`{len(rows)}.0" + ",`0.00" * more]
    return "\ufeff" + "".join(f"{line}\r\n" for line in lines)


def alipay_trades(paid: Sequence[Moved] = (), back: Sequence[Moved] = ()) -> str:
    rows = [
        f"{row.reference}\t,{row.key}\t,交易\t,Order 1, and more,2026-05-01 19:59:00,{AT},\t,\t,\t,\t,**三(156***)\t,"
        f"{row.yuan},{row.yuan},0.00,0.00,0.00,0.00,0.00,,0.00\t,0.00,\t,-{row.fee},0.00,"
        for row in paid
    ] + [
        f"{row.reference}\t,x\t,退款\t,Order 1,2026-05-01 19:59:00,{AT},\t,\t,\t,\t,**三(156***)\t,-{row.yuan},"
        f"-{row.yuan},0.00,0.00,0.00,0.00,0.00,,0.00\t,0.00,{row.key}\t,{row.fee},0.00,"
        for row in back
    ]
    return _alipay("业务", ALIPAY_TRADES, rows)


def alipay_flows(out: Sequence[Moved] = (), back: Sequence[Moved] = ()) -> str:
    rows = [f"1\t,2\t,pay_1\t,Order 1\t,{AT},张三 (a@example.com)\t,100.00,0.00,100.00,支付宝,在线支付,"]
    rows += [f"3\t,4\t,{row.key}\t,Payout\t,{AT},张三\t,0.00,-{row.yuan},0.00,支付宝,转账," for row in out]
    rows += [f"5\t,6\t,{row.key}\t,Payout\t,{AT},张三\t,{row.yuan},0.00,0.00,支付宝,转账," for row in back]
    rows += [f"7\t,8\t,{row.key}\t,Payout\t,{AT},支付宝\t,0.00,-0.10,0.00,支付宝,收费," for row in out]
    return _alipay("账务", ALIPAY_FLOWS, rows)


def _alipay(of: str, header: str, rows: list[str]) -> str:
    before = [f"#支付宝{of}明细查询", "#账号：[20880000010156]", "#起始日期：[2026年05月01日 00:00:00]"]
    after = [f"#{LINE}{of}明细列表结束{LINE}", f"#交易合计：{len(rows)}笔", "#导出时间：[2026年05月02日 09:00:00]"]
    return "".join(f"{line}\r\n" for line in [*before, f"#{LINE}{of}明细列表{LINE}", header, *rows, *after])


def packed(text: str) -> bytes:
    """Return the archive that Alipay has for download: the lines, and their sums."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        title = text.partition("\r\n")[0].replace("明细", "汇总")
        archive.writestr("20880000010156_20260501_summary.csv", f"{title}\r\n#账号\r\n".encode("gbk"))
        archive.writestr("20880000010156_20260501_details.csv", text.encode("gbk"))
    return file.getvalue()
