"""What is tidied up in every tenant, every day."""

from django.utils import timezone

from kpplatform.jobs import operations, running
from kpplatform.rest import keyed


@running.job
def purge() -> None:
    """Forget finished jobs and used Idempotency-Keys that nobody will ask for again."""
    operations.purge(at=timezone.now())
    keyed.purge(at=timezone.now())
