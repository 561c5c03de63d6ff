"""The pages of ads in the admin."""

from billing.ads.admin import campaigns, charges, creatives, invalid, offers, use

__all__ = ["campaigns", "charges", "creatives", "invalid", "offers", "use"]
