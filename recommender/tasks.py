"""What workers do for the recommender. Only they load torch."""

from django.utils import timezone

from kpplatform.jobs.running import long_job
from kpplatform.tenancy.models import Tenant
from recommender import training


@long_job
def retrain(*, tenant: Tenant) -> None:
    training.retrain(tenant=tenant, at=timezone.now())
