"""Counting days, reporting weeks, and recording looks at profiles and offers."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import partial
from hashlib import blake2b, sha256
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing.models import Product
from billing.money import Money
from catalog.cleaning import EARLY, LATE
from catalog.models import Purpose, Source
from catalog.operations.watching import hour_of
from catalog.queries import consent_of, visible_to
from creators.models import Creator
from kpplatform.errors import Invalid, NotFound
from kpplatform.metrics.models import CountedDay, Visit, WeeklyReport
from kpplatform.metrics.queries import asked
from kpplatform.metrics.queries.counting import COUNTINGS, LONGEST_PART
from kpplatform.metrics.queries.reports import WEEK, report_of, to_report
from kpplatform.metrics.queries.weekly import BY_CODE, sums_by_week
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.operations import stand_in
from kpplatform.tenancy.scope import current_tenant_id
from recommender.models import Notice, NoticeRefusal
from recommender.operations import in_both, tell

REPORTED_AT_ONCE = 200
# One day of one tenant is counted by one at a time, who may sort millions in memory.
HOLD = "SELECT pg_advisory_xact_lock(hashtextextended('metrics.day', %s)), set_config('work_mem', '128MB', true)"
STORE = """
    INSERT INTO metrics_dailyfigure (tenant_id, day, metric, creator_id, item_id, part, value)
    SELECT %(tenant)s, %(day)s, metric, creator, item, left(part, %(longest)s), value FROM ({rows}) r
"""


@transaction.atomic
def count_day(*, day: date, at: datetime) -> None:
    """Count everything of a day from its events and put it in the place of what was counted before."""
    said = asked(day) | {"longest": LONGEST_PART}
    with connection.cursor() as cursor:
        cursor.execute(HOLD, [current_tenant_id()])
        cursor.execute("DELETE FROM metrics_dailyfigure WHERE tenant_id = %(tenant)s AND day = %(day)s", said)
        for counting in COUNTINGS:
            cursor.execute(STORE.format(rows=counting.rows()), said)
    CountedDay.objects.update_or_create(day=day, defaults={"counted_at": at})


@transaction.atomic
def report_some(*, week: date, after: int, at: datetime) -> int | None:
    """Report the week of the next creators, by id, each once, and tell them; return the last, None: there are no more.

    Who wants no notices has the report all the same.
    """
    creators = to_report(week, after=after, most=REPORTED_AT_ONCE)
    if not creators:
        return None
    sums = sums_by_week([of.pk for of in creators], since=week - WEEK, until=week + WEEK)
    reports = [report_of(sums[of.pk], creator=of, week=week, at=at) for of in creators]
    WeeklyReport.objects.bulk_create(reports, ignore_conflicts=True)
    members = {of.member_id for of in creators}
    silent = set(NoticeRefusal.objects.filter(viewer__in=members).values_list("viewer", flat=True))
    tell(notices=[_announced(of) for of in reports if _is_told(of, silent)], at=at)
    return creators[-1].pk


@transaction.atomic
def report_tenant(*, week: date, at: datetime) -> bool:
    """Report the tenant's week, which ends it; False when nothing was counted, or it was reported already."""
    sums = sums_by_week([None], since=week - WEEK, until=week + WEEK)[None]
    if week not in sums:
        return False
    report = report_of(sums, creator=None, week=week, at=at)
    before = WeeklyReport.objects.filter(creator=None, week=week).exists()
    WeeklyReport.objects.bulk_create([report], ignore_conflicts=True)
    return not before


def _is_told(report: WeeklyReport, silent: set[int]) -> bool:
    member = report.creator.member if report.creator else None
    return member is not None and member.pk not in silent


def _announced(report: WeeklyReport) -> Notice:
    """Return what a creator is told of their report: the figures, what to do, and what became of what was done."""
    assert report.creator, "The tenant's is told to nobody."
    assert report.creator.member, "Who is no member is told nothing."
    link = reverse("admin:figures", args=["studio-income"])
    return in_both(report.creator.member, about=f"week:{report.week}", say=partial(_said, report), link=link)


def _said(report: WeeklyReport) -> str:
    told = {
        "day": date_format(report.week, "DATE_FORMAT"),
        "plays": report.figures["plays"],
        "income": Money(report.figures["creator_income"], report.currency),
    }
    better = sum(bool(of["is_better"]) for of in report.followed)
    parts = [_("Your week from %(day)s: %(plays)s plays, %(income)s earned.") % told]
    parts += [str(BY_CODE[of["code"]].advice) for of in report.actions]
    if report.followed:
        said = {"better": better, "of": len(report.followed)}
        parts.append(_("Of what the week before asked for, %(better)s of %(of)s became better.") % said)
    return " ".join(parts)


class UnknownPage(NotFound):
    code = "unknown_page"


class ImpossibleTime(Invalid):
    code = "impossible_time"


class Look(NamedTuple):
    """A visit as the viewer's device tells it: of a profile, or of an item or a product."""

    event_id: UUID
    visited_at: datetime
    creator: str | None = None  # handle
    item: int | None = None
    product: int | None = None
    source: str = ""


@transaction.atomic
def record_visits(*, viewer: Member, looks: Sequence[Look], at: datetime) -> int:
    """Store what the viewer looked at, each once and none of their own, and return how many were new.

    Without the viewer's consent nothing is kept of who, where from and when exactly. Raises UnknownPage when something
    is not there, ImpossibleTime when it was looked at in the future or too long ago; then nothing is stored.
    """
    if any(not -EARLY <= at - look.visited_at <= LATE for look in looks):
        raise ImpossibleTime("A visit is told within 30 days, and not before it happens.")
    creators = {of.handle: of for of in Creator.objects.filter(handle__in={look.creator for look in looks})}
    items = dict(visible_to(viewer, at=at).filter(pk__in={look.item for look in looks}).values_list("pk", "creator"))
    products = dict(
        Product.objects.filter(withdrawn_at=None, pk__in={look.product for look in looks}).values_list("pk", "creator")
    )
    own = {of.pk for of in Creator.objects.filter(member=viewer)}
    visits = []
    for look in looks:
        known = [creators[look.creator].pk] if look.creator in creators else []
        known += [of[thing] for of, thing in ((items, look.item), (products, look.product)) if thing in of]
        if len(known) != 1:
            raise UnknownPage("There is no such profile, item or product.")
        if known[0] not in own:
            visits.append(_visit(look, creators.get(look.creator or "")))
    consents = consent_of(viewer, Purpose.PERSONAL_EVENTS).holds
    return _stored(visits, viewer=viewer, consents=consents, at=at)


def _visit(look: Look, creator: Creator | None) -> Visit:
    return Visit(
        event_id=look.event_id,
        page=Visit.Page.PROFILE if creator else Visit.Page.PRODUCT,
        creator=creator,
        item_id=look.item,
        product_id=look.product,
        source=Source.of(look.source),
        visited_at=look.visited_at,
    )


def _stored(visits: Sequence[Visit], *, viewer: Member, consents: bool, at: datetime) -> int:
    """Write the visits down, as nobody's if the viewer does not consent: a keyed hash then tells who sends twice."""
    key = sha256(f"metrics.visits {settings.SECRET_KEY} {current_tenant_id()} {viewer.pk}".encode()).digest()
    for visit in visits:
        visit.viewer_id, visit.received_at = viewer.pk, at
        if not consents:
            visit.event_id = UUID(bytes=blake2b(visit.event_id.bytes, key=key, digest_size=16).digest())
            visit.viewer_id, visit.source = stand_in(), ""
            visit.visited_at, visit.received_at = hour_of(visit.visited_at), hour_of(at)
    same = Visit.objects.filter(
        viewer__in={visit.viewer_id for visit in visits}, event_id__in=[visit.event_id for visit in visits]
    )
    before = same.count()
    Visit.objects.bulk_create(visits, ignore_conflicts=True)
    return same.count() - before
