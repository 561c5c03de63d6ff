"""manage.py open_demo: what `manage.py demo` calls once the servers run."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from kpplatform.demo.opening import SECOND_SITE, TrainingFailed, open_demo
from kpplatform.demo.seeding import Size
from kpplatform.demo.sites import SignIns
from recommender.ml.interactions import BrokenData

SMALL = (Size(viewers=600, videos=300, courses=12, days=7), Size(viewers=120, videos=120, courses=6, days=5, seed=2))


class Command(BaseCommand):
    help = "Fill the demo's two tenants, unless they are filled, and train their feeds."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, help="A folder of interaction data for the first tenant.")
        parser.add_argument("--small", action="store_true", help="Small worlds, for a check.")

    def handle(self, *, data: Path | None, small: bool, **_: Any) -> None:
        sizes = SMALL if small else (Size(), SECOND_SITE)
        try:
            open_demo(data=data, sizes=sizes, sign_ins=SignIns.kept_in(settings.DATA_DIR))
        except BrokenData as error:
            raise CommandError(f"{error.code}: {error}") from error
        except TrainingFailed as error:
            raise CommandError(f"A training failed:\n{error}") from error
