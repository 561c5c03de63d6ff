"""Creators' money after it is theirs (paid out, held up, told month by month), unpaid orders, methods removed."""

from billing.operations.forgetting import NotYourMethod, forget_method, remove_method
from billing.operations.holds import PayoutsHeld, StaffDecide, place_hold, release_hold
from billing.operations.lapses import lapse_orders
from billing.operations.payout_accounts import BadAccount, NotYourMoney, set_payout_account
from billing.operations.payout_files import BadResult, NothingToPay, apply_result, lines_of, make_batch, mark_paid
from billing.operations.payout_sending import begin_payout, resolve_payout, send_payout
from billing.operations.payouts import (
    BelowThreshold,
    FourEyes,
    NoPayoutAccount,
    WrongState,
    approve_payout,
    draft_payout,
    reverse_payout,
    withdraw_payout,
)
from billing.operations.revoking import NotFree, revoke_free
from billing.operations.settlements import MonthMissing, MonthNotOver, NothingBooked, settle, settle_all, share_next

__all__ = [
    "BadAccount",
    "BadResult",
    "BelowThreshold",
    "FourEyes",
    "MonthMissing",
    "MonthNotOver",
    "NoPayoutAccount",
    "NotFree",
    "NotYourMethod",
    "NotYourMoney",
    "NothingBooked",
    "NothingToPay",
    "PayoutsHeld",
    "StaffDecide",
    "WrongState",
    "apply_result",
    "approve_payout",
    "begin_payout",
    "draft_payout",
    "forget_method",
    "lapse_orders",
    "lines_of",
    "make_batch",
    "mark_paid",
    "place_hold",
    "release_hold",
    "remove_method",
    "resolve_payout",
    "reverse_payout",
    "revoke_free",
    "send_payout",
    "set_payout_account",
    "settle",
    "settle_all",
    "share_next",
    "withdraw_payout",
]
