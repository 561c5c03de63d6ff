"""Who may come in where."""

from typing import Any

from rest_framework.request import Request

from kpplatform.errors import Forbidden
from kpplatform.rest.permissions import IsMember, signed_in


class RunsTheTenant(IsMember):
    """Let the tenant's staff in."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        if not signed_in(request).runs_the_tenant:
            raise Forbidden("Only the tenant's staff may see its models.")
        return True
