"""What can be told of tenants and members."""

import time
from typing import Any

from django.db.models import QuerySet

from kpplatform.tenancy import roles
from kpplatform.tenancy.models import ApiToken, Domain, Member, Tenant, User
from kpplatform.tenancy.scope import current_tenant_id
from kpplatform.tenancy.statements import planned

REMEMBERED_S = 30.0

_by_host: dict[str, tuple[float, Tenant | None]] = {}


def tenant_of(host: str) -> Tenant | None:
    """Return the open tenant that is reached under this host name, remembered for half a minute."""
    known = _by_host.get(host)
    if known and known[0] > time.monotonic():
        return known[1]
    domain = Domain.objects.select_related("tenant").filter(host=host, tenant__closed_at=None).first()
    tenant = domain.tenant if domain else None
    if tenant or len(_by_host) < 10_000:
        # Unknown hosts are remembered too, but must not fill the memory.
        _by_host[host] = (time.monotonic() + REMEMBERED_S, tenant)
    return tenant


def forget_hosts() -> None:
    """Look every host name up again (after a domain has changed in this process, and between tests)."""
    _by_host.clear()


def member_of(user: User) -> Member | None:
    """Return who this user is in the scope's tenant."""
    return Member.objects.filter(user=user).first()


def people() -> QuerySet[Member]:
    """Return the members who are somebody: all but the anonymous one."""
    return Member.objects.exclude(role=Member.Role.ANONYMOUS)


def anonymous_id() -> int | None:
    """Return the id of the member who stands for whoever is not to be remembered, if it was ever needed."""
    return Member.objects.filter(role=Member.Role.ANONYMOUS).values_list("pk", flat=True).first()


def tokens_of(member: Member) -> QuerySet[ApiToken]:
    """Return the member's tokens, newest first, the expired and revoked ones too."""
    return ApiToken.objects.filter(member=member).order_by("-pk")


def token_of(digest: bytes) -> ApiToken | None:
    """Return the token of this hash in the scope's tenant, with its member and their user: asked at every request."""
    with planned() as cursor:
        cursor.execute(TOKEN, {"tenant": current_tenant_id(), "digest": digest})
        row = cursor.fetchone()
    if row is None:
        return None
    token: ApiToken
    member: Member
    user: User
    token, member, user = (_made(model, row) for model in PLACES)
    token.member = member
    if member.user_id is not None:
        member.user = user
    return token


def _made(model: Any, row: tuple[Any, ...]) -> Any:
    names, place = PLACES[model]
    return model.from_db(roles.APP, names, row[place])


FIELDS = [field for model in (ApiToken, Member, User) for field in model._meta.concrete_fields]
PLACES: dict[Any, tuple[list[str], slice]] = {}  # of each model's columns in a row of TOKEN
for first, field in enumerate(FIELDS):
    names, place = PLACES.get(field.model, ([], slice(first, first)))
    PLACES[field.model] = ([*names, field.attname], slice(place.start, first + 1))
TOKEN = f"""
SELECT {", ".join(f"{field.model._meta.db_table}.{field.column}" for field in FIELDS)} FROM tenancy_apitoken
    JOIN tenancy_member ON tenancy_member.tenant_id = %(tenant)s AND tenancy_member.id = tenancy_apitoken.member_id
    LEFT JOIN tenancy_user ON tenancy_user.id = tenancy_member.user_id
WHERE tenancy_apitoken.tenant_id = %(tenant)s AND tenancy_apitoken.digest = %(digest)s
"""  # noqa: S608  names of columns
