"""Complaints (投诉单) at WeChat Pay: no money is taken. The merchant answers, and gives back what is to be given back.

A complaint can be about several orders. What is answered stands in its history, with our number at the end.
"""

from dataclasses import dataclass
from typing import Any

from billing.money import Money
from billing.providers.disputes.protocol import Disputed, Evidence, Stand, stand_of
from billing.providers.protocol import ProviderRefused
from billing.providers.wechatpay import PREFIX, Wechat

LONGEST_ANSWER, MOST_HISTORY = 200, 300
STANDS = {"PENDING": Stand.WARNING, "PROCESSING": Stand.WARNING, "PROCESSED": Stand.CLOSED}


@dataclass(frozen=True)
class WechatComplaints:
    """Complaints about a merchant of WeChat Pay."""

    driver: Wechat

    def query_disputes(self, *, reference: str) -> list[Disputed]:
        try:
            found = self.driver.said("complaint_detail_query", complaint_id=reference)
            history = self.driver.said("complaint_history_query", complaint_id=reference, limit=MOST_HISTORY)
        except ProviderRefused:
            return []
        numbers = (_number_in(entry.get("operate_details", "")) for entry in history["data"])
        answers = tuple(number for number in numbers if number)
        return [
            Disputed(
                reference=reference,
                key=PREFIX + about["out_trade_no"],
                amount=Money(about["amount"], "CNY"),
                stand=stand_of(found["complaint_state"], STANDS),
                reason=found.get("problem_type", ""),
                answers=answers,
            )
            for about in found.get("complaint_order_info") or []
        ]

    def answer_dispute(self, *, key: str, reference: str, evidence: Evidence) -> None:
        # The buyer reads this: neither what they have watched nor a file of ours goes with it.
        words = (evidence.words or evidence.receipt)[: LONGEST_ANSWER - len(key) - 1]
        self._told("complaint_response", complaint_id=reference, response_content=f"{words}\n{key}")

    def accept_dispute(self, *, key: str, reference: str) -> None:
        self._told("complaint_complete", complaint_id=reference)

    def _told(self, verb: str, **asked: Any) -> None:
        self.driver.said(verb, **asked)


def _number_in(words: str) -> str:
    last = words.strip().rpartition("\n")[2]
    return last if last.startswith("da_") else ""
