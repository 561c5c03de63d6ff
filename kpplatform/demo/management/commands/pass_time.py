"""manage.py pass_time: what the clock would do for a tenant of the demo in so many days, done now."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from billing import operations
from billing.ads import operations as ads
from billing.operations import due_parts
from kpplatform.demo.sites import SITES
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope

# Each is done again until it says that nothing was left to do.
WORK: dict[str, tuple[Callable[..., Any], ...]] = {
    "renew": (operations.renew_some, due_parts.charge_parts, operations.collect_next),
    "mature": (operations.mature, operations.mature_gifts, operations.release_reserves),
    "settle": (operations.paying.settle_all, ads.state_use_next),
    "reconcile": (operations.reconcile_days,),
    "charge": (ads.charge_next,),
    "share": (ads.share_next,),
}


class Command(BaseCommand):
    help = "Do now what is due in so many days for a tenant of the demo: renew, mature, settle, reconcile, ads."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("tenant", choices=[site.slug for site in SITES])
        parser.add_argument("work", nargs="+", choices=WORK)
        parser.add_argument("--days", type=int, required=True)
        parser.add_argument("--fault", help="What is wrong with the sandbox's next report, such as wrong_fee.")

    def handle(self, *, tenant: str, work: list[str], days: int, fault: str | None, **_: Any) -> None:
        if fault:
            _plant(fault)
        place, at = Tenant.objects.get(slug=tenant), timezone.now() + timedelta(days=days)
        for step in (step for name in work for step in WORK[name]):
            _to_the_end(place, step, at)


def _to_the_end(tenant: Tenant, step: Callable[..., Any], at: datetime) -> None:
    is_more = True
    while is_more:
        with scope(tenant):
            is_more = bool(step(at=at))


def _plant(fault: str) -> None:
    """Let the sandbox's next report have a fault."""
    connection = HTTPConnection(urlsplit(settings.SANDBOX_URL).netloc, timeout=10)
    headers = {"Authorization": f"Bearer {settings.SANDBOX_KEY}", "Content-Type": "application/json"}
    try:
        connection.request("POST", "/v1/faults", json.dumps({"on": "/v1/report", "kind": fault}), headers)
        if connection.getresponse().status != HTTPStatus.OK:
            raise CommandError(f"The sandbox knows no fault called {fault}.")
    finally:
        connection.close()
