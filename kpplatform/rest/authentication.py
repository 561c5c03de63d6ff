"""Programs sign in with a key of their own: `Authorization: Bearer kp_…`."""

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from kpplatform.tenancy.models import ApiToken, User
from kpplatform.tenancy.operations import digest_of
from kpplatform.tenancy.queries import token_of
from kpplatform.tenancy.scope import tenant_or_none

SCHEME = "Bearer "


class TokenAuthentication(BaseAuthentication):
    """Tell which member a scoped API token acts for. It is looked up in the host's tenant only."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        sent = request.headers.get("Authorization", "")
        if not sent.startswith(SCHEME) or tenant_or_none() is None:
            return None
        token = token_of(digest_of(sent.removeprefix(SCHEME)))
        if token is None:
            raise AuthenticationFailed("This token is not known here.", code="unknown_token")
        if token.revoked_at or (token.expires_at and token.expires_at <= timezone.now()):
            raise AuthenticationFailed("This token has expired or was revoked.", code="expired_token")
        if token.member.user is None or not token.member.user.is_active:
            raise AuthenticationFailed("The member behind this token cannot sign in.", code="inactive_member")
        return token.member.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
