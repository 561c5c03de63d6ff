"""Counting days, and recording looks at profiles and offers."""

from collections.abc import Sequence
from datetime import date, datetime
from hashlib import blake2b, sha256
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from billing.models import Product
from catalog.cleaning import EARLY, LATE
from catalog.models import Purpose, Source
from catalog.operations.watching import hour_of
from catalog.queries import consent_of, visible_to
from creators.models import Creator
from kpplatform.errors import Invalid, NotFound
from kpplatform.metrics.models import CountedDay, Visit
from kpplatform.metrics.queries import asked
from kpplatform.metrics.queries.counting import COUNTINGS, LONGEST_PART
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.operations import stand_in
from kpplatform.tenancy.scope import current_tenant_id

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
