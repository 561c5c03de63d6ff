"""What a tenant asks for before money leaves it."""

from dataclasses import dataclass, field
from datetime import timedelta

from billing.money import EXPONENTS, WHOLE_BPS, Money
from billing.providers import SPLITTING
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import current_tenant

# Where a tenant says nothing: in whole units of the currency.
LEAST_PAYOUT, FOUR_EYES_FROM = 100, 10_000


@dataclass(frozen=True)
class Rules:
    """How a creator's money is kept until it is paid out. A tenant changes them in its settings."""

    reserve_bps: int = 0  # of what becomes a creator's
    reserve_days: int = 90
    payout_thresholds: dict[str, int] = field(default_factory=dict)  # currency → minor units
    payout_four_eyes: dict[str, int] = field(default_factory=dict)  # currency → minor units
    settlement_mode: str = "collected"  # or "provider_split": what matured is given to creators by the provider
    split_ceiling_bps: int = 3_000  # of a payment, where the provider has a ceiling: as agreed with it
    dispute_fee_by: str = "platform"  # or "creator": who bears what the provider takes for being disputed

    @property
    def reserved_for(self) -> timedelta:
        return timedelta(days=self.reserve_days)

    def reserved_of(self, amount: Money) -> Money:
        """Return how much of an amount is held back, rounded down."""
        return Money(amount.minor * self.reserve_bps // WHOLE_BPS, amount.currency)

    def least_payout(self, currency: str) -> Money:
        """Return the least that is paid out."""
        usual = LEAST_PAYOUT * 10 ** EXPONENTS[currency]
        return Money(self.payout_thresholds.get(currency, usual), currency)

    def needs_four_eyes(self, amount: Money) -> bool:
        """Tell whether two people have to agree."""
        usual = FOUR_EYES_FROM * 10 ** EXPONENTS[amount.currency]
        return bool(amount.minor >= self.payout_four_eyes.get(amount.currency, usual))


def rules_of(tenant: Tenant) -> Rules:
    """Return the tenant's rules: the usual ones, and what it has changed."""
    return Rules(**{name: tenant.settings[name] for name in Rules.__annotations__ if name in tenant.settings})


def splits_at(provider: str) -> bool:
    """Tell whether what is paid to the scope's tenant through this provider is divided there."""
    return rules_of(current_tenant()).settlement_mode == "provider_split" and provider in SPLITTING
