"""What workers do for the recommender. Only they load torch."""

from django.utils import timezone

from kpplatform.jobs.running import job, long_job
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.places import tenant_folder
from kpplatform.tenancy.scope import scope
from recommender import operations, queries, training


@long_job
def retrain(*, tenant: Tenant, percent: int | None = None) -> None:
    training.retrain(tenant=tenant, at=timezone.now(), share=None if percent is None else percent / 100)


@long_job
def tune(*, tenant: Tenant) -> None:
    training.tune_as_asked(tenant=tenant, at=timezone.now())


@long_job
def refresh_portraits(*, tenant: Tenant) -> None:
    training.refresh_portraits(tenant=tenant, at=timezone.now())


@long_job
def export_portraits(*, tenant: Tenant) -> None:
    with scope(tenant):
        folder = tenant_folder("exports", "portraits")
    training.export_portraits(tenant=tenant, to=folder, at=timezone.now())


@long_job
def find_duplicates(*, tenant: Tenant) -> None:
    training.find_duplicates(tenant=tenant, at=timezone.now())


@long_job
def classify_topics(*, tenant: Tenant) -> None:
    training.classify_topics(tenant=tenant, at=timezone.now())


@long_job
def tag_comments(*, tenant: Tenant) -> None:
    training.tag_comments(tenant=tenant, at=timezone.now())


@long_job
def send_campaigns(*, tenant: Tenant) -> None:
    """Some viewers are told in a transaction of their own: whoever was told is not told again, whatever comes."""
    with scope(tenant):
        campaigns = queries.going_on(at=timezone.now())
    for campaign in campaigns:
        last: int | None = 0
        while last is not None:
            with scope(tenant):
                last = operations.tell_some(campaign=campaign, after=last, at=timezone.now())
        with scope(tenant):
            operations.read_campaign(campaign=campaign, at=timezone.now())


@long_job
def tell_creators(*, tenant: Tenant) -> None:
    """Some are told in a transaction of their own, which also notes that they were told."""
    told = 1
    while told:
        with scope(tenant):
            told = operations.tell_of_rulings(at=timezone.now())


@job
def judge_experiments() -> None:
    operations.judge_experiments(at=timezone.now())


@job
def check_portraits() -> None:
    operations.check_portraits(at=timezone.now())
