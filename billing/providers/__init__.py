"""Who moves the money: one protocol, a driver per provider, and each tenant's own accounts with them."""

from billing.providers.accounts import (
    FIELDS,
    NotConnected,
    checkout_provider,
    connected,
    provider_for,
)
from billing.providers.protocol import (
    BadSignature,
    Checkout,
    Garbled,
    Message,
    Paid,
    Provider,
    ProviderRefused,
    ProviderUnavailable,
    SentRefund,
    StaleMessage,
)
from billing.providers.sandbox.driver import SANDBOX
from billing.providers.vault import Sealed, seal, unseal

__all__ = [
    "FIELDS",
    "SANDBOX",
    "BadSignature",
    "Checkout",
    "Garbled",
    "Message",
    "NotConnected",
    "Paid",
    "Provider",
    "ProviderRefused",
    "ProviderUnavailable",
    "Sealed",
    "SentRefund",
    "StaleMessage",
    "checkout_provider",
    "connected",
    "provider_for",
    "seal",
    "unseal",
]
