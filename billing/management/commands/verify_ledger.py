"""Are the books in order?"""

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing import queries
from kpplatform.tenancy import roles
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope


class Command(BaseCommand):
    help = "Check the ledger of every tenant, or of one; name the first bad rows; exit 1 when something is wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", help="Its slug; all of them if not given.")
        parser.add_argument("--json", action="store_true", help="One JSON object with everything.")

    def handle(self, *, tenant: str | None, **options: Any) -> None:
        tenants = Tenant.objects.using(roles.APP).order_by("pk")
        asked = list(tenants.filter(slug=tenant) if tenant else tenants)
        if tenant and not asked:
            raise CommandError(f"There is no tenant {tenant}.")
        reports = []
        for one in asked:
            with scope(one):
                reports.append(queries.ledger_report())
        is_good = all(report.is_good for report in reports)
        if options["json"]:
            self.stdout.write(json.dumps({"ok": is_good, "tenants": [asdict(report) for report in reports]}))
        else:
            self._tell(reports)
        if not is_good:
            sys.exit(1)

    def _tell(self, reports: list[queries.Report]) -> None:
        for report in reports:
            said = f"{report.journals:,} journals, {report.transfers:,} transfers, head {report.head}"
            self.stdout.write(f"{report.tenant}: {'good' if report.is_good else 'BROKEN'} · {said}")
            for fault in report.faults:
                self.stdout.write(f"  {fault.promise}: {fault.table} {fault.row} {fault.what}")
