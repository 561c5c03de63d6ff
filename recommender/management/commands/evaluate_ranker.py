"""`manage.py evaluate_ranker FOLDER`: how well rankers foretell what is watched, on any folder of interactions."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommender.ml.interactions import BrokenData
from recommender.ml.ranker import choosing
from recommender.ml.ranker.evaluation import Question, evaluate
from recommender.ml.ranker.examples import TooLittle
from recommender.ml.ranker.features import GROUPS


class Command(BaseCommand):
    """Needs no database: the folder is read, split, learned and judged in memory."""

    help = "Judge both kinds of ranker on a folder of views: AUC, gAUC, the error of watch times, XAUC."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="folder with interactions.parquet")
        parser.add_argument("--split-at", type=int, help="first moment of the test, ms (default: the last fifth)")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--device", default="cpu")
        parser.add_argument("--kind", action="append", choices=choosing.NAMES, help="of ranker (default: each)")
        parser.add_argument("--without", action="append", default=[], choices=GROUPS, help="group of features left out")
        parser.add_argument("--told-all", action="store_true", help="tell the past up to each view, as when served")
        parser.add_argument("--json", action="store_true", help="one JSON object per line")

    def handle(self, **options: Any) -> None:
        asked = Question(
            folder=options["folder"],
            seed=options["seed"],
            split_at=options["split_at"],
            device=options["device"],
            kinds=options["kind"] or choosing.NAMES,
            without=options["without"],
            is_told_all=options["told_all"],
        )
        try:
            rows = evaluate(asked)
        except (BrokenData, TooLittle) as error:
            raise CommandError(f"{error.code}: {error}") from error
        for row in rows:
            told = json.dumps(row) if options["json"] else "  ".join(f"{name} {value}" for name, value in row.items())
            self.stdout.write(told)
