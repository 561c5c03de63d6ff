"""Taxes and papers with the least said. Call inside a scope."""

from datetime import timedelta
from typing import Any

from billing import operations
from billing.models import Order
from creators.models import Creator
from kpplatform.tenancy.models import Member
from tests import make
from tests.billing import shop
from tests.billing.shop import yuan
from tests.conftest import NOON


def billed(order: Order, creator: Creator, *, by: Member) -> None:
    """Leave a tax that is to be handed over, what is withheld, as what the creator is taxed, and a 发票 asked for."""
    papers = operations.papers
    days: dict[str, Any] = {"place": "CN", "bps": 600, "starts_on": NOON.date(), "ends_on": None}
    papers.set_tax_rule(by=by, is_exclusive=False, at=NOON, **days)
    papers.set_withholding_rule(by=by, kind="company", threshold=yuan(80_000), at=NOON, **days)
    papers.tax_as(creator=creator, by=by, place="CN", kind="person", tax_id="", at=NOON)
    papers.bill_to(member=order.viewer, place="CN", title="Li", tax_id="", at=NOON)
    papers.ask_for_invoice(order=order, by=order.viewer, title="Li", at=NOON)
    owing = make.member()
    papers.bill_to(member=owing, place="CN", title="", tax_id="", at=NOON)
    shop.bought_all(owing, operations.Wanted(creator=creator, amount=yuan(106)), key="taxed")
    owed: dict[str, Any] = {"of": "tax", "currency": "CNY", "month": NOON.date(), "amount": None}
    papers.draft_remittance(**owed, by=by, key="taxed", at=NOON + timedelta(days=1))
