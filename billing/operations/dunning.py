"""What was declined is charged again on set days, then given up: renewals and instalments alike."""

from datetime import datetime, timedelta

from billing.models import InstalmentPlan, Payment, Subscription
from billing.operations.invoices import charge
from billing.operations.methods import usable

# After a charge was declined it is tried again so many days after the invoice; then it is given up.
DUNNING = tuple(timedelta(days=days) for days in (2, 7, 14, 21))


def next_try(payment: Payment, at: datetime) -> datetime | None:
    """Return the next of the days after its invoice; None after the last."""
    return next((day for days in DUNNING if (day := payment.created_at + days) > at), None)


def next_look(of: Subscription | InstalmentPlan, payment: Payment, at: datetime) -> datetime | None:
    """Return when to go on with what was declined: on the last day, where nothing can be charged. None: given up."""
    following_day = next_try(payment, at)
    return following_day if following_day is None or usable(of.method) else payment.created_at + DUNNING[-1]


def charge_again(of: Subscription | InstalmentPlan, payment: Payment, *, at: datetime) -> bool:
    """Charge what was not paid once more, and set when to look at it again; False when it is to be given up.

    Who has opened the provider's page pays there: it is not charged as well.
    """
    is_paid_by_hand = payment.state != Payment.State.AGREED
    later = next_try(payment, at) if is_paid_by_hand else None
    if later is None and (is_paid_by_hand or not usable(of.method)):
        return False
    if not is_paid_by_hand:
        charge([(of, payment)], at=at)
    of.due_at = later
    of.save(update_fields=["due_at"])
    return True
