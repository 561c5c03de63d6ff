"""Profit sharing (分账) at WeChat Pay.

At most 50 receivers, within 30 days, up to a ceiling (30 %, if nothing else is agreed). The order must have been marked
when it was made; what is not given is the merchant's when the rest is unfrozen. A merchant can be asked to give back; a
person cannot.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from billing.money import Money
from billing.providers.protocol import Paid, ProviderRefused
from billing.providers.rails import Outcome
from billing.providers.splits.protocol import Given, GivenBack, Receiver, Share
from billing.providers.wechatpay import Wechat

OUTCOMES = {"SUCCESS": Outcome.PAID, "CLOSED": Outcome.FAILED, "FAILED": Outcome.FAILED}
DESCRIPTION = "创作者分成"


@dataclass(frozen=True)
class WechatSplits:
    """Profit sharing by a merchant of WeChat Pay."""

    driver: Wechat

    most_receivers: ClassVar[int] = 50
    within: ClassVar[timedelta] = timedelta(days=30)
    has_ceiling: ClassVar[bool] = True
    freezes: ClassVar[bool] = True

    def add_receiver(self, *, receiver: Receiver) -> None:
        relation = "USER" if receiver.is_person else "PARTNER"
        told = {"account_type": _kind(receiver), "account": receiver.account, "name": receiver.name}
        self.driver.said("profitsharing_add_receiver", **told, relation_type=relation)

    def split(self, *, key: str, paid: Paid, shares: Sequence[Share]) -> list[Given]:
        about = {"transaction_id": paid.reference, "out_order_no": key}
        if not shares:
            self.driver.said("profitsharing_unfreeze", **about, description=DESCRIPTION)
            return []
        receivers = [
            {
                "type": _kind(share.receiver),
                "account": share.receiver.account,
                "amount": share.amount.minor,
                "description": DESCRIPTION,
            }
            for share in shares
        ]
        return _given(self.driver.said("profitsharing_order", **about, receivers=receivers, unfreeze_unsplit=True))

    def query_split(self, *, key: str, paid: Paid, shares: Sequence[Share]) -> list[Given] | None:
        try:
            said = self.driver.said("profitsharing_order_query", transaction_id=paid.reference, out_order_no=key)
        except ProviderRefused:
            return None
        return _given(said)

    def take_back(self, *, key: str, split: str, given: Given, amount: Money, is_person: bool) -> GivenBack:
        if is_person:
            raise ProviderRefused("WeChat Pay takes nothing back from a person.")
        told = {"return_mchid": given.account, "amount": amount.minor, "description": "用户退款"}
        return _back(self.driver.said("profitsharing_return", out_order_no=split, out_return_no=key, **told))

    def query_return(self, *, key: str, split: str, given: Given) -> GivenBack | None:
        try:
            return _back(self.driver.said("profitsharing_return_query", out_order_no=split, out_return_no=key))
        except ProviderRefused:
            return None


def _kind(receiver: Receiver) -> str:
    return "PERSONAL_OPENID" if receiver.is_person else "MERCHANT_ID"


def _given(said: dict[str, Any]) -> list[Given]:
    # What is unfrozen to the merchant may stand among the receivers as well; nobody looks for that.
    return [
        Given(
            account=row["account"],
            amount=Money(row["amount"], "CNY"),
            outcome=OUTCOMES.get(row["result"], Outcome.PENDING),
            reference=str(row.get("detail_id", said["order_id"])),
            reason=row.get("fail_reason", ""),
        )
        for row in said.get("receivers", [])
    ]


def _back(said: dict[str, Any]) -> GivenBack:
    outcome = OUTCOMES.get(said["result"], Outcome.PENDING)
    return GivenBack(said["return_id"], outcome, said.get("fail_reason", ""))
