"""The feed's cursor: opaque, signed, and good for one viewer of one tenant for a day."""

from datetime import UTC, datetime, timedelta

from django.core import signing

from kpplatform.errors import Invalid
from kpplatform.tenancy.models import Member
from recommender.operations import Session

GOOD_FOR = timedelta(days=1)
SALT = "recommender.feed"


class BadCursor(Invalid):
    code = "bad_cursor"


class ExpiredCursor(Invalid):
    code = "expired_cursor"


def cursor_of(session: Session, *, viewer: Member) -> str:
    """Return the cursor that continues the session."""
    told = [viewer.tenant_id, viewer.pk, session.started.timestamp(), session.places, session.circumstance]
    return signing.dumps(told, salt=SALT)


def session_of(cursor: str, *, viewer: Member, at: datetime) -> Session:
    """Return the session that a cursor continues. Raises BadCursor and ExpiredCursor."""
    try:
        tenant, member, started, *rest = signing.loads(cursor, salt=SALT)
    except (signing.BadSignature, ValueError) as error:
        raise BadCursor("This cursor was not given out here.") from error
    if (tenant, member) != (viewer.tenant_id, viewer.pk):
        raise BadCursor("This cursor was given to somebody else.")
    session = Session(datetime.fromtimestamp(started, UTC), *rest)  # an older cursor has no circumstance
    if session.started + GOOD_FOR < at:
        raise ExpiredCursor("This cursor is older than a day; begin anew without it.")
    return session
