"""The feed's cursor: opaque, signed, and good for one viewer of one tenant for a day."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.core import signing

from kpplatform.errors import Invalid
from kpplatform.tenancy.models import Member
from recommender.operations import Session

GOOD_FOR = timedelta(days=1)
SALT = "recommender.feed"
# A cursor of who consents does not tell what was shown, and an older one not on what.
UNTOLD: list[Any] = [None, None, None, 0, 0, ()]


class BadCursor(Invalid):
    code = "bad_cursor"


class ExpiredCursor(Invalid):
    code = "expired_cursor"


def cursor_of(session: Session, *, viewer: Member) -> str:
    """Return the cursor that continues the session."""
    told: list[Any] = [viewer.tenant_id, viewer.pk, session.started.timestamp(), session.places, session.circumstance]
    if session.seen:
        told.append(session.seen)
    return signing.dumps(told, salt=SALT, compress=bool(session.seen))


def session_of(cursor: str, *, viewer: Member, at: datetime) -> Session:
    """Return the session that a cursor continues. Raises BadCursor and ExpiredCursor."""
    try:
        told: list[Any] = signing.loads(cursor, salt=SALT)
        tenant, member, started, places, circumstance, seen = [*told, *UNTOLD[len(told) :]]
    except (signing.BadSignature, ValueError) as error:
        raise BadCursor("This cursor was not given out here.") from error
    if (tenant, member) != (viewer.tenant_id, viewer.pk):
        raise BadCursor("This cursor was given to somebody else.")
    session = Session(datetime.fromtimestamp(started, UTC), places, circumstance, tuple(seen))
    if session.started + GOOD_FOR < at:
        raise ExpiredCursor("This cursor is older than a day; begin anew without it.")
    return session
