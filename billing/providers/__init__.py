"""Who moves the money. One protocol; so far one driver, for the double that ships with the product."""

from billing.providers.protocol import (
    BadSignature,
    Checkout,
    Garbled,
    Message,
    Provider,
    ProviderRefused,
    ProviderUnavailable,
    SentRefund,
    StaleMessage,
)
from billing.providers.sandbox.driver import SANDBOX, Sandbox
from kpplatform.tenancy.models import Tenant

__all__ = [
    "SANDBOX",
    "BadSignature",
    "Checkout",
    "Garbled",
    "Message",
    "Provider",
    "ProviderRefused",
    "ProviderUnavailable",
    "SentRefund",
    "StaleMessage",
    "provider_of",
]


def provider_of(tenant: Tenant) -> Provider:
    """Return the provider that collects for the tenant, acting in its account there."""
    return Sandbox(account=tenant.slug)
