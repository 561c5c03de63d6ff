"""What is done with tenants and members."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction

from kpplatform.errors import Conflict, Forbidden, Invalid
from kpplatform.tenancy.models import ApiToken, Domain, Member, Tenant, User
from kpplatform.tenancy.once import insert_once
from kpplatform.tenancy.queries import anonymous_id, forget_hosts


class TenantExists(Conflict):
    code = "tenant_exists"


class UnknownScope(Invalid):
    code = "unknown_scope"


class UnknownLanguage(Invalid):
    code = "unknown_language"


class AlreadyExpired(Invalid):
    code = "already_expired"


class NotYourRank(Forbidden):
    code = "not_your_rank"


@transaction.atomic
def create_tenant(
    *, slug: str, name: str, hosts: Sequence[str], language: str = "zh-hans", currency: str = "CNY"
) -> Tenant:
    """Open a tenant under its host names. Raises TenantExists when the slug or a host is taken."""
    try:
        with transaction.atomic():
            tenant = Tenant.objects.create(slug=slug, name=name, language=language, currency=currency)
            Domain.objects.bulk_create(Domain(host=host.lower(), tenant=tenant) for host in hosts)
    except IntegrityError as error:
        raise TenantExists(f"The slug {slug} or one of the hosts {', '.join(hosts)} is taken.") from error
    forget_hosts()
    return tenant


@transaction.atomic
def join(*, user: User, role: Member.Role = Member.Role.VIEWER, name: str = "") -> Member:
    """Make the user a member of the scope's tenant. Joining twice gives the same member."""
    member, _ = Member.objects.get_or_create(user=user, defaults={"role": role, "name": name})
    return member


def stand_in() -> int:
    """Return the id of the tenant's one anonymous member, made when it is first needed."""
    if (found := anonymous_id()) is None:
        insert_once(Member, role=Member.Role.ANONYMOUS, name="", language="")
        found = anonymous_id()
    assert found is not None, "Whoever made it first has committed by now."
    return found


@transaction.atomic
def introduce(*, member: Member, name: str | None = None, language: str | None = None) -> Member:
    """Change how the member is called and spoken to; None leaves it as it is. Raises UnknownLanguage."""
    if language is not None and language not in dict(settings.LANGUAGES):
        raise UnknownLanguage(f"We speak {', '.join(dict(settings.LANGUAGES))}.")
    member.name = member.name if name is None else name
    member.language = member.language if language is None else language
    member.save(update_fields=["name", "language"])
    return member


@transaction.atomic
def appoint(*, member: Member, role: Member.Role, by: Member) -> None:
    """Give the member a role in the tenant. Raises NotYourRank unless an admin does it, to somebody else.

    Nobody becomes anonymous, and the anonymous member becomes nobody else.
    """
    if by.role != Member.Role.ADMIN or by.pk == member.pk or Member.Role.ANONYMOUS in {role, member.role}:
        raise NotYourRank("Only an admin gives roles, and to others.")
    member.role = role
    member.save(update_fields=["role"])


@transaction.atomic
def declare_minor(*, member: Member, is_minor: bool, by: Member) -> Member:
    """Note whether the member is under age. Anybody may say so of themselves; only staff take it back.

    Raises NotYourRank.
    """
    if not by.runs_the_tenant and (by.pk != member.pk or not is_minor):
        raise NotYourRank("Only the tenant's staff may say that somebody is of age.")
    Member.objects.filter(pk=member.pk).update(is_minor=is_minor)
    member.is_minor = is_minor
    return member


@transaction.atomic
def suspend(*, member: Member, by: Member, at: datetime) -> None:
    """Keep the member out of the tenant until readmitted. Raises NotYourRank."""
    _must_rank_above(member, by)
    Member.objects.filter(pk=member.pk, suspended_at=None).update(suspended_at=at)


@transaction.atomic
def readmit(*, member: Member, by: Member) -> None:
    """Let a suspended member in again. Raises NotYourRank."""
    _must_rank_above(member, by)
    Member.objects.filter(pk=member.pk).update(suspended_at=None)


def _must_rank_above(member: Member, by: Member) -> None:
    """Staff deal with viewers and creators, an admin with everybody else; nobody with themselves."""
    is_admin = by.role == Member.Role.ADMIN
    if by.pk == member.pk or not by.runs_the_tenant or (member.runs_the_tenant and not is_admin):
        raise NotYourRank("Only somebody above them may do this.")


@transaction.atomic
def issue_token(
    *, member: Member, name: str, scopes: Sequence[str], at: datetime, expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """Give a program a key to act as the member. The key itself is returned once and kept nowhere.

    Raises UnknownScope and AlreadyExpired.
    """
    if unknown := set(scopes) - set(ApiToken.Scope.values):
        raise UnknownScope(f"There is no scope {', '.join(sorted(unknown))}.")
    if expires_at and expires_at <= at:
        raise AlreadyExpired("A token expires in the future.")
    key = f"kp_{secrets.token_urlsafe(32)}"
    token = ApiToken.objects.create(
        member=member, name=name, scopes=sorted(set(scopes)), digest=digest_of(key), expires_at=expires_at
    )
    return token, key


@transaction.atomic
def revoke_token(*, token: ApiToken, at: datetime) -> None:
    """Let the token open nothing any more. Revoking twice changes nothing."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=at)


def digest_of(key: str) -> bytes:
    """Return what is kept of a key. It is long and random, so that a plain hash hides it."""
    return hashlib.sha256(key.encode()).digest()
