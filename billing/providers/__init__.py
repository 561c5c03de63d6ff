"""Who moves the money: one protocol, a driver per provider, and each tenant's own accounts with them."""

from billing.providers.accounts import (
    FIELDS,
    OFFLINE,
    NoProvider,
    NotConnected,
    charging_provider,
    checkout_provider,
    connected,
    provider_for,
    rail_of,
    reports_of,
)
from billing.providers.bills.files import read_file
from billing.providers.offline import Offline
from billing.providers.protocol import (
    BadSignature,
    CannotCharge,
    Charged,
    ChargingProvider,
    Checkout,
    ClosingProvider,
    Garbled,
    Message,
    Paid,
    Provider,
    ProviderRefused,
    ProviderUnavailable,
    SentRefund,
    StaleMessage,
)
from billing.providers.rails import Destination, Outcome, Rail, ReversingRail, SentPayout
from billing.providers.reports import BadReport, Reported, Reporting, reported
from billing.providers.sandbox.driver import SANDBOX
from billing.providers.vault import Sealed, seal, unseal

__all__ = [
    "FIELDS",
    "OFFLINE",
    "SANDBOX",
    "BadReport",
    "BadSignature",
    "CannotCharge",
    "Charged",
    "ChargingProvider",
    "Checkout",
    "ClosingProvider",
    "Destination",
    "Garbled",
    "Message",
    "NoProvider",
    "NotConnected",
    "Offline",
    "Outcome",
    "Paid",
    "Provider",
    "ProviderRefused",
    "ProviderUnavailable",
    "Rail",
    "Reported",
    "Reporting",
    "ReversingRail",
    "Sealed",
    "SentPayout",
    "SentRefund",
    "StaleMessage",
    "charging_provider",
    "checkout_provider",
    "connected",
    "provider_for",
    "rail_of",
    "read_file",
    "reported",
    "reports_of",
    "seal",
    "unseal",
]
