"""What staff, creators and operators see of money: only operations write it."""

from billing.admin import books, consultations, giving, offline, reconciliation

__all__ = ["books", "consultations", "giving", "offline", "reconciliation"]
