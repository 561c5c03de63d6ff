"""A campaign of the generated history: viewers who had stayed away were told to come back, but for some."""

from datetime import datetime, timedelta

from django.db.models import F

from kpplatform.errors import Refused
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import scope
from recommender import operations
from recommender.models import Notice
from recommender.operations.campaigns import Audience, Message

NAME = "come-back"
AGO, AWAY = 5, 2  # days: since it began, and how long they had not been seen then
MESSAGE = Message(
    message="Your lessons wait for you.",
    message_zh="你的课程在等你回来。",
    message_en="Your lessons wait for you.",
    link="/",
    is_sent_here=True,
)


def campaign(*, tenant: Tenant, at: datetime) -> None:
    """Let staff have begun a campaign some days ago, tell those whom it was for, and read what it brought.

    In a small world there may be too few whom it would be for: then there is none.
    """
    begun_at = at - timedelta(days=AGO)
    with scope(tenant):
        staff = Member.objects.filter(role=Member.Role.ADMIN).order_by("pk")[0]
        rules = [{"kind": "unseen", "days": AWAY}]
        operations.make_group(name="away", rules=rules, by=staff, at=begun_at)
        try:
            begun = operations.begin_campaign(
                name=NAME, audience=Audience(group="away"), message=MESSAGE, held_out=0.2, days=14, at=begun_at
            )
        except Refused:
            return
        last: int | None = 0
        while last is not None:
            last = operations.tell_some(campaign=begun, after=last, at=begun_at)
        some = Notice.objects.alias(turn=F("viewer_id") % 3).filter(campaign=begun, turn=0)
        some.update(read_at=begun_at + timedelta(hours=8))
        operations.read_campaign(campaign=begun, at=at)
