"""What is done for ads again and again, tenant by tenant."""

from django.utils import timezone

from billing.ads import operations
from kpplatform.jobs.running import long_job
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope


@long_job
def run_ads(*, tenant: Tenant) -> None:
    """Step by step, each in a transaction of its own, until none finds more to do; then every flight gets its pace."""
    steps = (
        *(operations.end_next, operations.lapse_offers, operations.charge_next, operations.give_back_next),
        operations.share_next,
    )
    for step in steps:
        is_more = True
        while is_more:
            with scope(tenant):
                is_more = bool(step(at=timezone.now()))
    with scope(tenant):
        operations.pace_flights(at=timezone.now())


@long_job
def learn_clicks(*, tenant: Tenant) -> None:
    with scope(tenant):
        operations.learn_clicks(at=timezone.now())
