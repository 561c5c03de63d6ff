"""WeChat Pay's rail: a transfer to the creator's balance, as mostly they have to accept it in their app.

The receiver's name goes out encrypted with WeChat's key. A bill that nobody accepts within a day fails by itself.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from billing.money import Money
from billing.providers.protocol import ProviderRefused, ProviderUnavailable
from billing.providers.rails import Destination, Outcome, SentPayout
from billing.providers.wechatpay import PAYOUT_PREFIX, TRANSFERRED, Wechat, amount_in

REMARK = "Payout"


@dataclass(frozen=True)
class WechatRail:
    """Transfers from a tenant's merchant account with WeChat Pay."""

    driver: Wechat

    def payout(self, *, key: str, amount: Money, to: Destination, webhook_url: str) -> SentPayout:
        made = self.driver.said(
            "mch_transfer_bills",
            out_bill_no=key.removeprefix(PAYOUT_PREFIX),
            transfer_scene_id=self.driver.transfer_scene_id,
            transfer_scene_report_infos=report_infos(self.driver.transfer_report),
            openid=to.number,
            user_name=to.holder,
            transfer_amount=amount_in("fen", amount)["fen"],
            transfer_remark=REMARK,
            notify_url=webhook_url,
        )
        return self._sent(made, amount)

    def query_payout(self, *, key: str) -> SentPayout | None:
        number = key.removeprefix(PAYOUT_PREFIX)
        try:
            found = self.driver.said("mch_transfer_bills_query", out_bill_no=number)
        except ProviderRefused as error:
            if "NOT_FOUND" in error.detail:
                return None
            raise ProviderUnavailable("WeChat Pay does not say what became of it.") from error
        if (found["mch_id"], found["out_bill_no"]) != (self.driver.mchid, number):
            raise ProviderUnavailable("WeChat Pay answers about another bill.")
        return self._sent(found, Money(found["transfer_amount"], "CNY"))

    def _sent(self, bill: Mapping[str, Any], amount: Money) -> SentPayout:
        outcome = TRANSFERRED.get(bill["state"], Outcome.PENDING)
        reason = bill.get("fail_reason") or ("" if outcome == Outcome.PAID else bill["state"])
        asked = {"mchId": self.driver.mchid, "appId": self.driver.appid, "package": bill.get("package_info")}
        confirmation = json.dumps(asked) if asked["package"] else ""
        return SentPayout(bill["transfer_bill_no"], outcome, amount, reason, confirmation)


def report_infos(report: str) -> list[dict[str, str]]:
    """Return what WeChat wants to know about the scene, of "name=content;name=content"."""
    pairs = [pair.partition("=") for pair in report.split(";") if pair]
    return [{"info_type": name.strip(), "info_content": content.strip()} for name, _, content in pairs]
