"""manage.py seed_case: one of the three sized cases, from a generated world to a list for everyone."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from kpplatform.demo.cases.case import CASES, SIGNALS, Case
from kpplatform.demo.cases.running import Summary, run
from recommender.ml.models import UnknownModel
from recommender.ml.sequence.stepping import TrainingFailed


class Command(BaseCommand):
    """Needs no database: the world is generated, learned and listed in memory."""

    help = "Generate a case's world, learn from it, and write every viewer's list; print what it took as JSON."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("case", choices=CASES)
        parser.add_argument("--to", type=Path, help="Parquet file for the lists: viewer, place, item")
        parser.add_argument("--scale", type=float, default=1.0, help="share of the viewers; of the items its root")
        parser.add_argument("--model", help="another one than the case's own, with its usual settings")
        parser.add_argument("--without", action="append", default=[], choices=SIGNALS, help="a signal left out")
        parser.add_argument("--seed", type=int, default=0)

    def handle(self, **options: Any) -> None:
        if not 0 < options["scale"] <= 1:
            raise CommandError("scale_out_of_range: --scale must be above 0 and at most 1.")
        case = CASES[options["case"]].scaled(options["scale"])
        if options["model"]:
            case = replace(case, model=options["model"], settings={})
        case = replace(case, signals=tuple(signal for signal in case.signals if signal not in options["without"]))
        if not case.signals:
            raise CommandError("no_signal: Nothing would be told.")
        try:
            self.stdout.write(json.dumps(_watched(case, options)))
        except (UnknownModel, TrainingFailed) as error:
            raise CommandError(f"{error.code}: {error}") from error


def _watched(case: Case, options: dict[str, Any]) -> Summary:
    with tqdm(desc=f"{case.name}: {case.model}", unit="step", file=sys.stderr, leave=False) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return run(case, to=options["to"], seed=options["seed"], progress=progress)
