"""The ledger: the only code that writes accounts and transfers. Everything is `post(kind, key, transfers, at)`."""

from billing.ledger.names import (
    Name,
    available,
    clearing,
    coins,
    fees,
    pending,
    pool,
    processor,
    refund_clearing,
    tax,
    wallet,
)
from billing.ledger.posting import KeyTaken, NotEnoughMoney, held, post, reversal

__all__ = [
    "KeyTaken",
    "Name",
    "NotEnoughMoney",
    "available",
    "clearing",
    "coins",
    "fees",
    "held",
    "pending",
    "pool",
    "post",
    "processor",
    "refund_clearing",
    "reversal",
    "tax",
    "wallet",
]
