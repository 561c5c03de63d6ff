"""What staff, creators and operators see of money: only operations write it."""

from billing.admin import (
    books,
    consultations,
    disputes,
    ebooks,
    giving,
    instalments,
    invoices,
    memberships,
    offline,
    payouts,
    reconciliation,
    remittances,
    settlements,
    shares,
    splits,
    withholding,
)

__all__ = [
    "books",
    "consultations",
    "disputes",
    "ebooks",
    "giving",
    "instalments",
    "invoices",
    "memberships",
    "offline",
    "payouts",
    "reconciliation",
    "remittances",
    "settlements",
    "shares",
    "splits",
    "withholding",
]
