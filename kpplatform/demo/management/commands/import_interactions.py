"""manage.py import_interactions: fill a tenant with real interaction data."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kpplatform.demo.importing import import_folder
from kpplatform.demo.opening import progress_bar, tenant_called
from kpplatform.demo.settling import settle
from recommender.ml.interactions import BrokenData


class Command(BaseCommand):
    help = "Import a folder with interactions.parquet and items.parquet. What is there already is left as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--tenant", required=True, help="Its slug; the tenant is opened if there is none.")

    def handle(self, *, folder: Path, tenant: str, **_: Any) -> None:
        try:
            with progress_bar(f"importing {folder.name}") as progress:
                place = tenant_called(tenant)
                count = import_folder(tenant=place, folder=folder, progress=progress)
                settle(tenant=place, clean=False)
        except BrokenData as error:
            raise CommandError(f"{error.code}: {error}") from error
        self.stdout.write(f"{tenant}: {count} new watches.")
