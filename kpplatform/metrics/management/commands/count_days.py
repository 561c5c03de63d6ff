"""Count what is due, and more days if asked; or say what was counted otherwise than it would be now."""

import sys
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from kpplatform.metrics import operations, queries
from kpplatform.tenancy import roles
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope

SHOWN = 20  # differences of a day


class Command(BaseCommand):
    help = "Count the days of every tenant, or of one, from their events; with --check only compare, exit 1 if unlike."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", help="Its slug; all of them if not given.")
        parser.add_argument("--since", type=date.fromisoformat, help="Besides what is due, from this day on …")
        parser.add_argument("--until", type=date.fromisoformat, help="… to this one; today if not given.")
        parser.add_argument("--check", action="store_true", help="Count nothing: compare what stands with a recount.")

    def handle(
        self, *, tenant: str | None, since: date | None, until: date | None, check: bool, **_: Any
    ) -> None:  # fmt: skip
        if until and (since is None or until < since):
            raise CommandError("--until goes with a --since that is not after it.")
        tenants = Tenant.objects.using(roles.APP).order_by("pk")
        asked = list(tenants.filter(slug=tenant) if tenant else tenants)
        if tenant and not asked:
            raise CommandError(f"There is no tenant {tenant}.")
        do = self._check if check else self._count
        unlike = [one for one in asked if not do(one, since, until)]
        if unlike:
            sys.exit(1)

    def _count(self, tenant: Tenant, since: date | None, until: date | None) -> bool:
        """Count each day in a transaction of its own, the oldest first: then what is due is never taken for done."""
        at = timezone.now()
        with scope(tenant):
            today = queries.today(at)
            days = sorted({*queries.days_due(at=at), *_days(since, min(until or today, today))})
        for day in days:
            with scope(tenant):
                operations.count_day(day=day, at=at)
        self.stdout.write(f"{tenant.slug}: {len(days)} days counted, {days[0]} to {days[-1]}")
        return True

    def _check(self, tenant: Tenant, since: date | None, until: date | None) -> bool:
        with scope(tenant):
            days = queries.days_counted(since=since, until=until)
        unlike = 0
        for day in days:
            with scope(tenant):
                found = queries.differences(day)
            unlike += bool(found)
            for of in found[:SHOWN]:
                what = " ".join(str(part) for part in (of.metric, of.creator, of.item, of.part) if part)
                self.stdout.write(f"  {day} {what}: {of.stored} stands, {of.counted} is counted")
            if len(found) > SHOWN:
                self.stdout.write(f"  {day} and {len(found) - SHOWN} more")
        self.stdout.write(f"{tenant.slug}: {len(days)} days compared, {unlike} of them unlike")
        return not unlike


def _days(since: date | None, until: date) -> Iterator[date]:
    if since:
        yield from (since + timedelta(days=after) for after in range((until - since).days + 1))
