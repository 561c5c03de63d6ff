"""The pages of ads in the admin."""

from billing.ads.admin import campaigns, charges, creatives, offers

__all__ = ["campaigns", "charges", "creatives", "offers"]
