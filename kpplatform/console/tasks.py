"""What is tidied up in every tenant, every day."""

from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from kpplatform.jobs import operations, running
from kpplatform.rest import keyed


@running.job
def purge() -> None:
    """Forget finished jobs, used Idempotency-Keys that nobody will ask for again, and expired sessions."""
    operations.purge(at=timezone.now())
    keyed.purge(at=timezone.now())
    SessionStore.clear_expired()
