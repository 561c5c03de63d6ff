"""The creators' jobs."""

from creators import operations
from kpplatform.jobs.running import long_job
from kpplatform.tenancy.models import Tenant


@long_job
def recount_all_followers(*, tenant: Tenant) -> None:
    operations.recount_all_followers(tenant=tenant)
