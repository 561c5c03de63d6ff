"""What is done so that a provider divides payments itself."""

from billing.operations.split_receivers import register_receiver, set_split_receiver
from billing.operations.split_returns import ask_back, begin_split_return, resolve_split_return, send_split_return
from billing.operations.splits import begin_split, plan_splits, resolve_split, send_split

__all__ = [
    "ask_back",
    "begin_split",
    "begin_split_return",
    "plan_splits",
    "register_receiver",
    "resolve_split",
    "resolve_split_return",
    "send_split",
    "send_split_return",
    "set_split_receiver",
]
