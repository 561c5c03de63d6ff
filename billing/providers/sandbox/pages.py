"""What a buyer sees at the sandbox."""

from html import escape

from billing.money import Money
from billing.providers.sandbox.book import Row

PAGE = """<!doctype html>
<html lang="zh">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
  body {{ font: 18px/1.5 system-ui, sans-serif; max-width: 24rem; margin: 4rem auto; padding: 0 1rem; color: #222 }}
  .amount {{ font-size: 2.5rem; font-weight: 600; margin: .5rem 0 2rem }}
  button, .back {{ display: block; width: 100%; padding: .8rem; margin: .6rem 0; font: inherit; border-radius: .5rem;
    border: 1px solid #bbb; background: #fff; cursor: pointer; text-align: center; box-sizing: border-box }}
  .pay {{ background: #0a7d4f; border-color: #0a7d4f; color: #fff }}
  small {{ color: #777 }}
</style>
<h1>{title}</h1>
{body}
<p><small>沙盒支付：不会产生真实扣款。<br>Sandbox payment: no real money moves.</small></p>
</html>
"""
BUTTONS = """
<form method="post">
  <button class="pay" name="press" value="pay">支付 Pay</button>
  <button name="press" value="decline">拒绝 Decline</button>
</form>
"""
ABOUT_A_PAID_ONE = """
<form method="post">
  <button name="press" value="inquire">向银行查询 Ask the bank about it</button>
  <button name="press" value="dispute">拒付 Dispute it at the bank</button>
</form>
"""
ABOUT_A_DISPUTE = """
<form method="post">
  <button name="press" value="dispute">升级为拒付 Escalate the enquiry</button>
  <button name="press" value="win">商户胜诉 The merchant wins</button>
  <button name="press" value="lose">买家胜诉 The buyer wins</button>
  <button name="press" value="close">结束查询 Close the enquiry</button>
</form>
"""
SAID = {
    "captured": "已支付 Paid",
    "authorised": "已授权 Authorised",
    "saved": "已保存 Saved",
    "declined": "支付被拒绝，可重试 Declined, you may try again",
    "open": "",
}


def pay_page(checkout: Row, disputes: list[Row]) -> str:
    """Return the page on which a buyer pays, sees that it is done, or disputes it."""
    money = Money(checkout["amount"], checkout["currency"])
    body = f"<p>{escape(checkout['account'])} · {escape(checkout['order'])}</p><p class=amount>{money}</p>"
    body += f"<p><strong>{SAID[checkout['status']]}</strong></p>"
    if checkout["status"] in {"open", "declined"}:
        body += BUTTONS
    body += "".join(f"<p>{escape(row['id'])}: {row['status']}</p>" for row in disputes)
    if disputes and disputes[-1]["status"] in {"warning", "needs_response", "under_review"}:
        body += ABOUT_A_DISPUTE
    elif checkout["status"] == "captured":
        body += ABOUT_A_PAID_ONE
    if (back := checkout["return_url"]).startswith(("http://", "https://")):
        body += f'<a class="back" href="{escape(back)}">返回 Back</a>'
    return PAGE.format(title="付款 Payment", body=body)


def sorry_page() -> str:
    """Return the page for a payment that nobody knows."""
    return PAGE.format(title="没有这笔付款 No such payment", body="")
