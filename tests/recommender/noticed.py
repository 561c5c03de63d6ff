"""Campaigns that tell viewers something, with the least said. Call inside a scope."""

from datetime import datetime

from django.utils import timezone

from kpplatform.tenancy.models import Member
from recommender import operations
from recommender.models import Campaign, Notice, NoticeRefusal
from tests import make
from tests.conftest import NOON


def noticed(campaign: Campaign, *members: Member, by: Member) -> None:
    """Leave a group of viewers, notices to these, and somebody who wants none."""
    operations.make_group(name="payers", rules=[{"kind": "paid", "is_so": True}], by=by, at=NOON)
    for member in members:
        Notice.objects.create(campaign=campaign, viewer=member, sent_at=NOON)
    operations.refuse_notices(viewer=make.member(), at=NOON)
    assert NoticeRefusal.objects.exists()


def send(campaign: Campaign, *, at: datetime | None = None) -> list[int]:
    """Tell everybody who is to be told, as the job does; return who was told by now."""
    last: int | None = 0
    while last is not None:
        last = operations.tell_some(campaign=campaign, after=last, at=at or timezone.now())
    return told(campaign)


def told(campaign: Campaign) -> list[int]:
    return list(Notice.objects.filter(campaign=campaign).order_by("viewer").values_list("viewer_id", flat=True))
