"""Checkouts that ran out at the provider: closed there for good, then the same order is paid under another key."""

import hashlib
from datetime import datetime

from billing import providers
from billing.models import ClosedCheckout, Payment
from kpplatform.tenancy.scope import current_tenant

PREFIX = "pay_"
LENGTH = 32  # what WeChat takes, without the prefix


def closed_at_provider(payment: Payment, buyer: providers.Buyer | None, *, at: datetime) -> providers.Checkout | None:
    """Close a held payment's checkout at the provider, if it should have run out, and return how it is there now.

    Of who comes by another way, also a young one. None while it is young, and where providers keep checkouts open.
    Raises ProviderUnavailable and ProviderRefused.
    """
    provider = providers.provider_for(current_tenant(), payment.provider)
    if not isinstance(provider, providers.ClosingProvider):
        return None
    is_over = has_run_out(payment, provider, buyer, at) or payment.state == Payment.State.DECLINED
    if not is_over and not comes_otherwise(payment, buyer):
        return None
    return provider.close(key=payment.key, reference=payment.reference, order=str(payment.order_id))


def begin_anew(payment: Payment, *, at: datetime) -> None:
    """Give a held payment, whose checkout is closed, the key of its next one.

    It follows from the key before, which was committed: if this process dies after the provider was told, the next
    one tells it the same.
    """
    ClosedCheckout.objects.create(payment=payment, key=payment.key, reference=payment.reference, closed_at=at)
    payment.key = PREFIX + hashlib.sha256(payment.key.encode()).hexdigest()[:LENGTH]
    payment.reference, payment.checkout_url, payment.handed, payment.state = "", "", "", Payment.State.NEW
    payment.save(update_fields=["key", "reference", "checkout_url", "handed", "state"])


def comes_otherwise(payment: Payment, buyer: providers.Buyer | None) -> bool:
    """Tell whether the buyer comes by another way than the one that was opened."""
    return buyer is not None and buyer.way != payment.way


def is_opened_again(payment: Payment, buyer: providers.Buyer | None, *, at: datetime) -> bool:
    """Tell whether the same checkout is reached by another address now, for at the provider it is one trade.

    So it is by another way; and where the address, as a code is, was good for a while only.
    """
    provider = providers.provider_for(current_tenant(), payment.provider)
    if not isinstance(provider, providers.ManyWaysProvider) or not provider.is_one_trade:
        return False
    return comes_otherwise(payment, buyer) or has_run_out(payment, provider, buyer, at)


def has_run_out(
    payment: Payment, provider: providers.ClosingProvider, buyer: providers.Buyer | None, at: datetime
) -> bool:
    """Tell whether where the buyer was sent is no longer good.

    Who names no way may only want to know how it stands: what is being paid at is not closed for them.
    """
    way = payment.way if buyer else ""
    return at - (payment.opened_at or payment.created_at) >= provider.lasts(way)


def is_closed(key: str, provider: str) -> bool:
    """Tell whether this is the key of a checkout that was closed."""
    return ClosedCheckout.objects.filter(key=key, payment__provider=provider).exists()
