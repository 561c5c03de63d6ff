"""Providers that divide a payment themselves (分账): one protocol, and how each does it."""

from billing.providers.splits.protocol import Given, GivenBack, Receiver, Share, Splitting
from billing.providers.splits.registry import SPLITTING, marked, split_at, splitting_for

__all__ = ["SPLITTING", "Given", "GivenBack", "Receiver", "Share", "Splitting", "marked", "split_at", "splitting_for"]
