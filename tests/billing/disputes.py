"""Disputes, as a provider tells of them. Call inside a scope."""

from datetime import timedelta
from typing import Any

from billing import operations
from billing.models import Dispute, Order, Payment
from billing.operations import disputing
from billing.providers import Disputed, Stand
from billing.providers.sandbox.server import Server
from catalog.models import Item
from creators.models import Creator
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant
from tests import make
from tests.billing import shop
from tests.conftest import NOON

NOW = NOON + timedelta(days=1)


def say(order: Order, stand: Stand, **said: Any) -> Dispute:
    """Let the provider say how a dispute of all that was paid stands, and return what we then know."""
    payment = shop.payment_of(order)
    told: dict[str, Any] = {"reference": f"dp_{order.pk}", "key": payment.key, "amount": payment.money}
    told |= {"stand": stand, "reason": "fraudulent"}
    dispute, _ = disputing.note_dispute(provider=payment.provider, said=Disputed(**told | said), at=NOW)
    return Dispute.objects.get(pk=dispute.pk)


def disputed(sandbox: Server, viewer: Member, course: Item, press: str = "dispute") -> Payment:
    """Return a payment that was made at the sandbox and disputed there, by its buttons."""
    payment = operations.pay(order=shop.ordered(viewer, course), at=NOON)
    shop.press(payment.checkout_url)
    shop.deliver_all(sandbox.bank, tenant=current_tenant())
    shop.press(payment.checkout_url, press)
    return payment


def disputed_gift(creator: Creator, *, by: Member) -> None:
    """Leave a dispute of a small gift, about which staff have something to show, and have told the provider."""
    gift = operations.Wanted(creator=creator, amount=shop.yuan(100))
    dispute = say(shop.bought_all(make.member(), gift, key="disputed"), Stand.NEEDS_RESPONSE)
    disputing.add_evidence(dispute=dispute, by=by, kind="file", content=b"%PDF-1", at=NOON)
    disputing.submit_evidence(dispute=dispute, by=by, key="submit", at=NOON)
