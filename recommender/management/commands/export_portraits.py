"""`manage.py export_portraits`: the matrices P and F of a tenant, with the names of their dimensions."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from kpplatform.tenancy.models import Tenant
from recommender.training import export_portraits


class Command(BaseCommand):
    help = "Write P.parquet (viewers × dimensions) and F.parquet (items × dimensions)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, help="its slug")
        parser.add_argument("--to", type=Path, required=True, help="a folder; made if it is not there")

    def handle(self, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"tenant_unknown: There is no tenant {options['tenant']}.")
        try:
            viewers, items = export_portraits(tenant=tenant, to=options["to"], at=timezone.now())
        except OSError as error:
            raise CommandError(f"not_writable: {error}") from error
        self.stdout.write(f"{viewers} viewers, {items} items")
