"""How the money of a sale is divided."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Self

from billing.money import WHOLE_BPS, Money
from kpplatform.tenancy.models import Tenant

# How long buyers may ask for their money back, and creators wait for theirs.
WINDOW = timedelta(days=7)


@dataclass(frozen=True)
class Terms:
    """Who gets which part of a price. A tenant changes them in its settings, e.g. {"tax_bps": 600}."""

    tax_bps: int = 0  # of the price without tax
    processor_bps: int = 60  # of what the buyer pays
    platform_bps: int = 1_000  # of the price without tax
    tax_is_added: bool = False  # the price is without tax; the buyer pays both

    def kept(self, gross: Money) -> Money:
        """Return what the provider keeps of what the buyer pays."""
        return gross.split(self.processor_bps, WHOLE_BPS - self.processor_bps)[0]

    @property
    def with_tax_inside(self) -> Self:
        """Return the same terms for an amount that the tax is a part of."""
        return replace(self, tax_is_added=False)

    def gross(self, price: Money) -> Money:
        """Return what the buyer pays: the price, and the tax where it is not a part of it."""
        return price + self._added(price)

    def divide(self, price: Money) -> dict[str, Money]:
        """Divide what a price makes the buyer pay; the creator's share is what is left. Sums to the gross.

        A tax that is added is exactly what was added, and the rest sums to the price.
        """
        whole = WHOLE_BPS + self.tax_bps
        tax, processor, platform = self.tax_bps * WHOLE_BPS, self.processor_bps * whole, self.platform_bps * WHOLE_BPS
        rest = (processor, platform, WHOLE_BPS * WHOLE_BPS - processor - platform)
        parts = (self._added(price), *price.split(*rest)) if self.tax_is_added else price.split(tax, *rest)
        return dict(zip(("tax", "processor", "platform", "share"), parts, strict=True))

    def _added(self, price: Money) -> Money:
        """Return the tax that comes on top, rounded half up."""
        added = (price.minor * self.tax_bps * 2 + WHOLE_BPS) // (WHOLE_BPS * 2) if self.tax_is_added else 0
        return Money(added, price.currency)


def terms_of(tenant: Tenant) -> Terms:
    """Return the tenant's terms: the usual ones, and what it has changed."""
    changed = {name: tenant.settings[name] for name in Terms.__annotations__ if name in tenant.settings}
    return Terms(**changed)
