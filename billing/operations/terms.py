"""How the money of a sale is divided."""

from dataclasses import dataclass
from datetime import timedelta

from billing.models import OrderLine
from billing.money import WHOLE_BPS, Money
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import current_tenant

# How long buyers may ask for their money back, and creators wait for theirs.
WINDOW = timedelta(days=7)


@dataclass(frozen=True)
class Terms:
    """Who gets which part of a price. A tenant changes them in its settings, e.g. {"tax_bps": 600}."""

    tax_bps: int = 0  # of the price without tax
    processor_bps: int = 60  # of what the buyer pays
    platform_bps: int = 1_000  # of the price without tax

    def kept(self, gross: Money) -> Money:
        """Return what the provider keeps of what the buyer pays."""
        return gross.split(self.processor_bps, WHOLE_BPS - self.processor_bps)[0]

    def divide(self, gross: Money) -> dict[str, Money]:
        """Divide what the buyer pays, tax included; the creator's share is what is left. Sums to the whole."""
        whole = WHOLE_BPS + self.tax_bps
        tax, processor, platform = (
            self.tax_bps * WHOLE_BPS,
            self.processor_bps * whole,
            self.platform_bps * WHOLE_BPS,
        )
        share = whole * WHOLE_BPS - tax - processor - platform
        parts = gross.split(tax, processor, platform, share)
        return dict(zip(("tax", "processor", "platform", "share"), parts, strict=True))


def terms_for(kind: str) -> Terms:
    """Return by which terms the scope's tenant sells a kind of thing: coins are worth what was paid for them."""
    terms = terms_of(current_tenant())
    return Terms(tax_bps=0, processor_bps=0, platform_bps=0) if kind == OrderLine.Kind.COINS else terms


def terms_of(tenant: Tenant) -> Terms:
    """Return the tenant's terms: the usual ones, and what it has changed."""
    changed = {name: tenant.settings[name] for name in Terms.__annotations__ if name in tenant.settings}
    return Terms(**changed)
