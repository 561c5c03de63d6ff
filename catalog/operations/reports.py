"""Saying that an item should not be there."""

from datetime import datetime

from django.db import transaction

from catalog.models import Item, Reaction, Report
from catalog.operations.reactions import react
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.once import insert_once


@transaction.atomic
def report(*, viewer: Member, item: Item, reason: Report.Reason, text: str, at: datetime) -> bool:
    """Put the item before the tenant's staff, and tell whether that is new; twice is once.

    Who reports an item does not want to see it either: it is a "not interested" as well, for their feed and taste.
    """
    is_new = insert_once(Report, viewer_id=viewer.pk, item_id=item.pk, reason=reason, text=text, reported_at=at)
    react(viewer=viewer, item=item, kind=Reaction.Kind.NOT_INTERESTED, at=at)
    return is_new
