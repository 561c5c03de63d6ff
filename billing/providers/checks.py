"""What an installation is told about its payments when it starts."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register  # noqa: A004  Django's own name


@register
def nothing_is_given_away(**_: Any) -> list[CheckMessage]:
    """Warn where the sandbox takes payments outside of development: nobody is paid there."""
    if not settings.SANDBOX_CHECKOUT or settings.DEBUG:
        return []
    hint = "Unset SANDBOX_CHECKOUT, and connect each tenant's own provider, unless this is a demonstration."
    return [Warning("Tenants without a provider sell at the sandbox, for nothing.", hint=hint, id="billing.W001")]
