"""Checkouts that ran out at the provider: closed there for good, then the same order is paid under another key."""

import hashlib
from datetime import datetime

from billing import providers
from billing.models import ClosedCheckout, Payment
from kpplatform.tenancy.scope import current_tenant

PREFIX = "pay_"
LENGTH = 32  # what WeChat takes, without the prefix


def closed_at_provider(payment: Payment, *, is_forced: bool, at: datetime) -> providers.Checkout | None:
    """Close a held payment's checkout at the provider, if it should have run out, and return how it is there now.

    Forced, also a young one. None while it is young, and where providers keep checkouts open. Raises
    ProviderUnavailable and ProviderRefused.
    """
    provider = providers.provider_for(current_tenant(), payment.provider)
    if not isinstance(provider, providers.ClosingProvider):
        return None
    if not has_run_out(payment, provider, at) and not is_forced and payment.state != Payment.State.DECLINED:
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


def is_opened_again(payment: Payment, *, is_another_way: bool, at: datetime) -> bool:
    """Tell whether the same checkout is reached by another address now, for at the provider it is one trade.

    So it is by another way; and where the address, as a code is, was good for a while only.
    """
    provider = providers.provider_for(current_tenant(), payment.provider)
    if not isinstance(provider, providers.ManyWaysProvider) or not provider.is_one_trade:
        return False
    return is_another_way or has_run_out(payment, provider, at)


def has_run_out(payment: Payment, provider: providers.ClosingProvider, at: datetime) -> bool:
    """Tell whether where the buyer was sent is no longer good."""
    return at - (payment.opened_at or payment.created_at) >= provider.lasts(payment.way)


def is_closed(key: str, provider: str) -> bool:
    """Tell whether this is the key of a checkout that was closed."""
    return ClosedCheckout.objects.filter(key=key, payment__provider=provider).exists()
