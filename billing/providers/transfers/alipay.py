"""Alipay's rail: a transfer to the creator's Alipay account. Alipay wants the application's certificates for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from billing.money import Money
from billing.providers.alipay import TRANSFERRED, Alipay, read_amount, written
from billing.providers.protocol import ProviderRefused, ProviderUnavailable
from billing.providers.rails import Destination, Outcome, SentPayout

PRODUCT = {"product_code": "TRANS_ACCOUNT_NO_PWD", "biz_scene": "DIRECT_TRANSFER"}
TITLE = "Payout"
# Their own number for a user; anything else is what a user signs in with.
USER_ID_DIGITS = 16


@dataclass(frozen=True)
class AlipayRail:
    """Transfers from a tenant's account with Alipay."""

    driver: Alipay

    def payout(self, *, key: str, amount: Money, to: Destination, webhook_url: str) -> SentPayout:
        is_id = to.number.isdecimal() and len(to.number) == USER_ID_DIGITS
        payee = {"identity": to.number, "identity_type": "ALIPAY_USER_ID" if is_id else "ALIPAY_LOGON_ID"}
        asked = {"out_biz_no": key, "trans_amount": written(amount), "order_title": TITLE, **PRODUCT}
        made = self.driver.said("alipay.fund.trans.uni.transfer", **asked, payee_info=payee | {"name": to.holder})
        return _sent(made, key, amount)

    def query_payout(self, *, key: str) -> SentPayout | None:
        try:
            found = self.driver.said("alipay.fund.trans.common.query", out_biz_no=key, **PRODUCT)
        except ProviderRefused as error:
            if "ORDER_NOT_EXIST" in error.detail:
                return None
            raise ProviderUnavailable("Alipay does not say what became of it.") from error
        return _sent(found, key, read_amount(found["trans_amount"]))


def _sent(said: Mapping[str, Any], key: str, amount: Money) -> SentPayout:
    if said["out_biz_no"] != key:
        raise ProviderUnavailable("Alipay answers about another transfer.")
    outcome = TRANSFERRED.get(said["status"], Outcome.PENDING)
    reason = said.get("fail_reason") or ("" if outcome == Outcome.PAID else said["status"])
    return SentPayout(said["order_id"], outcome, amount, reason)
