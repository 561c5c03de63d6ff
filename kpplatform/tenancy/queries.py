"""What can be told of tenants and members."""

import time

from django.db.models import QuerySet

from kpplatform.tenancy.models import ApiToken, Domain, Member, Tenant, User

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


def tokens_of(member: Member) -> QuerySet[ApiToken]:
    """Return the member's tokens, newest first, the expired and revoked ones too."""
    return ApiToken.objects.filter(member=member).order_by("-pk")
