"""Secrets at rest: sealed with the installation's keys (Fernet: AES-128-CBC with HMAC-SHA-256), for one tenant only."""

import base64
import hashlib
import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class Sealed(RuntimeError):
    """Credentials that none of the installation's keys opens, or that belong to another tenant: nothing goes on."""


def seal(secrets: Mapping[str, str], *, tenant_id: int) -> bytes:
    """Return the secrets sealed with the first key; whose they are is inside."""
    return _keys().encrypt(json.dumps({"tenant": tenant_id, "secrets": dict(secrets)}).encode())


def unseal(sealed: bytes, *, tenant_id: int) -> dict[str, str]:
    """Return the secrets. Raises Sealed when no key opens them, and when they were put into another tenant's row."""
    try:
        opened = json.loads(_keys().decrypt(sealed))
    except InvalidToken as error:
        raise Sealed("No key of CREDENTIAL_KEYS opens these credentials.") from error
    if opened["tenant"] != tenant_id:
        raise Sealed("These credentials are another tenant's.")
    return dict(opened["secrets"])


def _keys() -> MultiFernet:
    """Return the keys; any text is one."""
    digests = [hashlib.sha256(key.encode()).digest() for key in settings.CREDENTIAL_KEYS]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
