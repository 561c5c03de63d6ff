"""How the sandbox signs its messages: HMAC-SHA-256 over time and body, with a secret per account."""

import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta

from billing.providers.protocol import BadSignature, StaleMessage

HEADER = "Sandbox-Signature"
TOLERANCE = timedelta(minutes=5)
FORM = re.compile(r"t=(\d{1,11}),v1=([0-9a-f]{64})")


def secret_of(account: str, *, key: str) -> bytes:
    """Return the webhook secret of one account of the sandbox: both sides derive it from the API key."""
    return hmac.digest(key.encode(), f"webhooks of {account}".encode(), "sha256")


def signature(body: bytes, *, secret: bytes, at: datetime) -> str:
    """Return the header's value for a body sent at this moment."""
    stamp = int(at.timestamp())
    return f"t={stamp},v1={hmac.new(secret, f'{stamp}.'.encode() + body, hashlib.sha256).hexdigest()}"


def verify(header: str, body: bytes, *, secret: bytes, at: datetime) -> None:
    """Check that the body was signed with this secret, within five minutes. Raises BadSignature and StaleMessage."""
    form = FORM.fullmatch(header)
    if form is None:
        raise BadSignature("The message is not signed as it must be.")
    signed_at = datetime.fromtimestamp(int(form[1]), UTC)
    if not hmac.compare_digest(header, signature(body, secret=secret, at=signed_at)):
        raise BadSignature("The signature is not ours.")
    if abs(at - signed_at) > TOLERANCE:
        raise StaleMessage("The message was not signed within the last five minutes.")
