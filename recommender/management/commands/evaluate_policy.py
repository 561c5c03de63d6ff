"""`manage.py evaluate_policy`: what one policy would have earned, told from what another one showed."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommender.ml.bandit_logs import judge_logs
from recommender.ml.interactions import BrokenData


class Command(BaseCommand):
    """Needs no database: the logs of a folder are read in memory."""

    help = "Estimate each logged policy's value from every other log of a folder: IPS, SNIPS and DR, as JSON lines."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="with a Parquet file per log, named for its policy")
        parser.add_argument("--most", type=float, help="clip weights at this")
        parser.add_argument("--bootstrap", type=int, metavar="SEED", help="redraw showings instead of normal bounds")

    def handle(self, **options: Any) -> None:
        if options["most"] is not None and not options["most"] > 0:
            raise CommandError("most_too_small: --most must be above 0.")
        try:
            for row in judge_logs(options["folder"], most=options["most"], seed=options["bootstrap"]):
                self.stdout.write(json.dumps(row))
        except BrokenData as error:
            raise CommandError(f"{error.code}: {error}") from error
