"""What is done for ads again and again, tenant by tenant."""

from collections.abc import Callable
from functools import partial

from django.utils import timezone

from billing.ads import operations
from kpplatform.jobs.running import long_job
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope

TIDIED = 100  # batches of what is old at a time: flights wait for their next pace no longer than that


@long_job
def run_ads(*, tenant: Tenant) -> None:
    """Step by step, each in a transaction of its own, until none finds more to do; then every flight gets its pace.

    Last goes some of what is old. A step that fails keeps none of the others back; the job fails once all had their
    turn.
    """
    steps: tuple[Callable[..., int], ...] = (
        *(operations.end_next, operations.lapse_offers, operations.charge_next),
        *(operations.propose_next, operations.give_back_next, operations.share_next, operations.state_use_next),
        *(operations.look_back_next, operations.end_load_trials, operations.read_load_trials),
    )
    tidying: tuple[Callable[..., int], ...] = (operations.fold_next, operations.sum_up_next, operations.drop_next)
    failed = []
    work: list[Callable[[Tenant], None]] = [*(partial(_all, step) for step in steps), _paced]
    work += [partial(_some, step) for step in tidying]
    for do in work:
        try:
            do(tenant)
        except Exception as error:  # noqa: BLE001  told below
            failed.append(error)
    if failed:
        raise ExceptionGroup("Some of what is done for ads failed.", failed)


def _all(step: Callable[..., int], tenant: Tenant) -> None:
    is_more = True
    while is_more:
        with scope(tenant):
            is_more = bool(step(at=timezone.now()))


def _some(step: Callable[..., int], tenant: Tenant) -> None:
    for _ in range(TIDIED):
        with scope(tenant):
            if not step(at=timezone.now()):
                return


def _paced(tenant: Tenant) -> None:
    """Pace some flights at a time: who wants to offer one of them does not wait for all."""
    last: int | None = 0
    while last is not None:
        with scope(tenant):
            last = operations.pace_next(at=timezone.now(), after=last)


@long_job
def learn_clicks(*, tenant: Tenant) -> None:
    with scope(tenant):
        operations.learn_clicks(at=timezone.now())
