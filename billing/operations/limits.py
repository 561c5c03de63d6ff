"""How much may be given away in a day, and by whom."""

from datetime import datetime

from billing import queries
from billing.money import Money
from kpplatform.errors import Forbidden
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant

MOST_A_DAY = 100_000  # in minor units, unless the tenant's settings say otherwise


class NotForMinors(Forbidden):
    code = "not_for_minors"


class EnoughForToday(Forbidden):
    code = "enough_for_today"


def must_be_allowed(*, viewer: Member, amount: Money, at: datetime) -> None:
    """Raise NotForMinors for who is under age, EnoughForToday when this is more than may be given on the tenant's day.

    The member's row is held until the end of the transaction, so that two at once do not both find room.
    """
    if Member.objects.select_for_update(no_key=True).get(pk=viewer.pk).is_minor:
        raise NotForMinors("Who is under age gives nothing away.")
    most = Money(current_tenant().settings.get("giving_daily", MOST_A_DAY), amount.currency)
    if queries.given_on_day(viewer, currency=amount.currency, at=at) + amount > most:
        raise EnoughForToday(f"No more than {most} is given away in a day.")
