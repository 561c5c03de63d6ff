"""What was paid: the ledger's rows, the sales, and what providers said."""

from billing.models.inbox import WebhookEvent
from billing.models.ledger import Account, ChainHead, Journal, Transfer
from billing.models.sales import Order, OrderLine, Payment, Price, Refund

__all__ = [
    "Account",
    "ChainHead",
    "Journal",
    "Order",
    "OrderLine",
    "Payment",
    "Price",
    "Refund",
    "Transfer",
    "WebhookEvent",
]
