"""The ledger: the only code that writes accounts and transfers. Everything is `post(kind, key, transfers, at)`."""

from billing.ledger.names import (
    Name,
    available,
    clawback,
    clearing,
    coins,
    creators,
    fees,
    in_transit,
    pending,
    pool,
    processor,
    refund_clearing,
    reserve,
    tax,
    wallet,
)
from billing.ledger.posting import KeyTaken, NotEnoughMoney, held, held_all, post, reversal

__all__ = [
    "KeyTaken",
    "Name",
    "NotEnoughMoney",
    "available",
    "clawback",
    "clearing",
    "coins",
    "creators",
    "fees",
    "held",
    "held_all",
    "in_transit",
    "pending",
    "pool",
    "post",
    "processor",
    "refund_clearing",
    "reserve",
    "reversal",
    "tax",
    "wallet",
]
