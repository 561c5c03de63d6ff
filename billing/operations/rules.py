"""What a tenant asks for before money leaves it."""

from dataclasses import dataclass
from datetime import timedelta

from billing.money import WHOLE_BPS, Money
from kpplatform.tenancy.models import Tenant


@dataclass(frozen=True)
class Rules:
    """How a creator's money is kept until it is paid out. A tenant changes them in its settings."""

    reserve_bps: int = 0  # of what becomes a creator's
    reserve_days: int = 90

    @property
    def reserved_for(self) -> timedelta:
        return timedelta(days=self.reserve_days)

    def reserved_of(self, amount: Money) -> Money:
        """Return how much of an amount is held back, rounded down."""
        return Money(amount.minor * self.reserve_bps // WHOLE_BPS, amount.currency)


def rules_of(tenant: Tenant) -> Rules:
    """Return the tenant's rules: the usual ones, and what it has changed."""
    return Rules(**{name: tenant.settings[name] for name in Rules.__annotations__ if name in tenant.settings})
