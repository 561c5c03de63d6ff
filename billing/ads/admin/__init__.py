"""The pages of ads in the admin."""

from billing.ads.admin import campaigns, charges, counted, creatives, days, invalid, loads, offers, use

__all__ = ["campaigns", "charges", "counted", "creatives", "days", "invalid", "loads", "offers", "use"]
