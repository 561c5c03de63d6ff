"""Telling viewers what a campaign says: each once, not too often, none who was held out or does not want it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from billing.operations.coupons import give_coupon
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant_id
from recommender import queries
from recommender.models import Campaign, Notice, NoticeRefusal

AT_ONCE = 1_000
# One at a time tells viewers of a tenant something, so that the cap holds.
HOLD = "SELECT pg_advisory_xact_lock(hashtextextended('recommender.notices', %s))"


@transaction.atomic
def tell_some(*, campaign: Campaign, after: int, at: datetime) -> int | None:
    """Tell the next viewers, by their ids, and give them the coupon; return the last one, None: there are no more."""
    with connection.cursor() as cursor:
        cursor.execute(HOLD, [current_tenant_id()])
    next_ones = queries.to_be_told(campaign, at=at).filter(viewer_id__gt=after)
    viewers = list(next_ones.values_list("viewer_id", flat=True)[:AT_ONCE])
    Notice.objects.bulk_create(Notice(campaign=campaign, viewer_id=viewer, sent_at=at) for viewer in viewers)
    if campaign.coupon:
        give_coupon(coupon=campaign.coupon, viewers=viewers, at=at)
    return viewers[-1] if viewers else None


@transaction.atomic
def tell(*, notices: Sequence[Notice], at: datetime) -> int:
    """Tell members about what is their own, each about a thing once, and return how many were not told before."""
    for notice in notices:
        notice.sent_at = at
    about = Notice.objects.filter(
        about__in={notice.about for notice in notices}, viewer__in={notice.viewer_id for notice in notices}
    )
    before = about.count()
    Notice.objects.bulk_create(notices, ignore_conflicts=True)
    return about.count() - before


@transaction.atomic
def read_campaign(*, campaign: Campaign, at: datetime) -> Campaign:
    """Note what the campaign has brought until now."""
    campaign.figures, campaign.read_at = queries.uplift(campaign, at=at), at
    campaign.save(update_fields=["figures", "read_at"])
    return campaign


@transaction.atomic
def read_notice(*, notice: Notice, at: datetime) -> Notice:
    """Note that the viewer has read it; twice is once."""
    return _noted(notice, read_at=at)


@transaction.atomic
def dismiss_notice(*, notice: Notice, at: datetime) -> Notice:
    """Show it no more; twice is once."""
    return _noted(notice, dismissed_at=at)


def _noted(notice: Notice, **when: Any) -> Notice:
    [(name, at)] = when.items()
    Notice.objects.filter(**{"pk": notice.pk, name: None}).update(**{name: at})
    notice.refresh_from_db(fields=[name])
    return notice


@transaction.atomic
def refuse_notices(*, viewer: Member, at: datetime) -> None:
    """Let no campaign tell the viewer anything from now on; twice is once."""
    NoticeRefusal.objects.bulk_create([NoticeRefusal(viewer=viewer, refused_at=at)], ignore_conflicts=True)


@transaction.atomic
def allow_notices(*, viewer: Member) -> None:
    """Let campaigns tell the viewer something again."""
    NoticeRefusal.objects.filter(viewer=viewer).delete()
