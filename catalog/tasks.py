"""The catalogue's jobs."""

from catalog import operations
from kpplatform.jobs.running import long_job
from kpplatform.tenancy.models import Tenant


@long_job
def clean_again(*, tenant: Tenant) -> None:
    operations.clean_again(tenant=tenant)


@long_job
def recount_all(*, tenant: Tenant) -> None:
    operations.recount_all(tenant=tenant)
