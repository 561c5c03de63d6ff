"""What buyers dispute at their bank or at the provider: one protocol, and how each provider tells of it."""

from billing.providers.disputes.protocol import Disputed, Disputing, Evidence, Stand
from billing.providers.disputes.registry import NoDisputes, disputes_at

__all__ = ["Disputed", "Disputing", "Evidence", "NoDisputes", "Stand", "disputes_at"]
