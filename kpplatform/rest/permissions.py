"""Who may ask at all. What they may see of a thing is decided by the queries below."""

from typing import Any

from rest_framework.exceptions import NotAuthenticated, NotFound, PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from kpplatform.tenancy.models import ApiToken, Member
from kpplatform.tenancy.operations import join
from kpplatform.tenancy.queries import member_of
from kpplatform.tenancy.scope import tenant_or_none


def signed_in(request: Request) -> Member:
    """Return the member who asks; a person's first visit to a tenant makes them a viewer there.

    Raises NotAuthenticated, and PermissionDenied for a suspended member.
    """
    known: Member | None = getattr(request, "_member", None)
    if known is None:
        if isinstance(request.auth, ApiToken):
            known = request.auth.member
        elif request.user.is_authenticated:
            known = member_of(request.user) or join(user=request.user)
        else:
            raise NotAuthenticated
        if known.suspended_at:
            raise PermissionDenied("This member is suspended.", code="suspended")
        request._member = known  # type: ignore[attr-defined]  # noqa: SLF001  remembered for this request
    return known


class IsMember(BasePermission):
    """Let members in, and programs as far as their token's scopes reach."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if tenant_or_none() is None:
            raise NotFound("No tenant is reached under this host.", code="unknown_host")
        signed_in(request)
        if isinstance(request.auth, ApiToken) and (needed := needed_scope(request, view)) not in request.auth.scopes:
            raise PermissionDenied(f"This token does not reach as far as {needed}.", code="missing_scope")
        return True


class IsPerson(IsMember):
    """Let people in, and no programs: a token must not make itself a stronger one."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if isinstance(request.auth, ApiToken):
            raise PermissionDenied("A person does this, not a program.", code="people_only")
        return super().has_permission(request, view)


def needed_scope(request: Request, view: Any) -> str:
    """Return the scope that a token needs: the view's own for writes, `read` for the rest."""
    if request.method in SAFE_METHODS:
        return ApiToken.Scope.READ
    return getattr(view, "write_scope", ApiToken.Scope.WRITE)
