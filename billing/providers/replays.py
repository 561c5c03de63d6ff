"""A message is let in once: what was sent again word for word, with its signature, comes from somebody else."""

from datetime import timedelta

from django.core.cache import cache

from billing.providers.protocol import Replayed


def must_be_new(nonce: str, *, within: timedelta) -> None:
    """Remember the message's nonce for the scope's tenant, longer than it could be let in. Raises Replayed."""
    if not cache.add(f"nonce:{nonce}", 1, timeout=2 * within.total_seconds()):
        raise Replayed("This message was let in before.")
