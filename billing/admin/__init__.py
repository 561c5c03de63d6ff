"""What staff, creators and operators see of money: only operations write it."""

from billing.admin import books, consultations, giving, memberships, offline, reconciliation

__all__ = ["books", "consultations", "giving", "memberships", "offline", "reconciliation"]
