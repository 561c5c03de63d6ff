"""Gifts of money: lines of orders, with a message to whom they are for."""

from datetime import datetime

from billing.models import Giving, OrderLine
from billing.money import Money
from billing.operations.limits import must_be_allowed
from billing.operations.said import Said


def note(line: OrderLine, said: Said, at: datetime) -> None:
    """Keep what is said with the gift, if it may be given. Raises NotForMinors and EnoughForToday."""
    order = line.order
    must_be_allowed(viewer=order.viewer, amount=Money(line.amount, order.currency), at=at)
    Giving.objects.create(
        viewer=order.viewer,
        creator=line.creator,
        line=line,
        key=f"line:{line.pk}",
        amount=line.amount,
        currency=order.currency,
        message=said.message,
        is_anonymous=said.is_anonymous,
        given_at=at,
    )


def thank(line: OrderLine, _source: str, at: datetime) -> None:
    """Show the gift from now on: it was paid, or could not be given back."""
    Giving.objects.filter(line=line).update(paid_at=at, taken_back_at=None)


def take_back(line: OrderLine, _source: str, at: datetime) -> None:
    """Show the gift no longer: all of it was given back."""
    Giving.objects.filter(line=line).update(taken_back_at=at)
