"""`manage.py evaluate`: a row of figures per model for any folder of interactions."""

import json
import multiprocessing
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from recommender.ml.affinity import diagnose
from recommender.ml.evaluation import PROTOCOLS, Question, evaluate
from recommender.ml.interactions import BrokenData
from recommender.ml.models import MODELS, UnknownModel
from recommender.ml.reading import read_folder


class Command(BaseCommand):
    """Needs no database: the folder is read, split, learned and ranked in memory, a process per model."""

    help = "Judge models on a folder of interactions: all items ranked, seen ones left out."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--data", type=Path, required=True, help="folder with interactions.parquet")
        parser.add_argument("--protocol", choices=PROTOCOLS, default=PROTOCOLS[0])
        parser.add_argument("--model", default="all", help=f"all, or one of {', '.join(MODELS)}")
        parser.add_argument("--k", type=int, default=10, help="length of the page that is judged")
        parser.add_argument("--split-at", type=int, help="first moment of the test, ms (default: the last fifth)")
        parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a model's setting")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--device", default="cpu")
        parser.add_argument("--affinity", action="store_true", help="say instead whether like viewers like alike")
        parser.add_argument("--json", action="store_true", help="one JSON object per line")

    def handle(self, **options: Any) -> None:
        if options["affinity"]:
            self._say(_affinity(options["data"], options["seed"]), options)
            return
        names = list(MODELS) if options["model"] == "all" else [options["model"]]
        asked = Question(
            folder=options["data"],
            protocol=options["protocol"],
            model="",
            k=options["k"],
            seed=options["seed"],
            split_at=options["split_at"],
            settings=_settings(options["set"]),
            device=options["device"],
        )
        if asked.k < 1:
            raise CommandError("k_too_small: --k must be at least 1.")
        for name in names:
            row = _in_a_process(replace(asked, model=name))
            self._say(row, options)

    def _say(self, row: Mapping[str, Any], options: Mapping[str, Any]) -> None:
        self.stdout.write(json.dumps(row) if options["json"] else _readable(row))


def _affinity(folder: Path, seed: int) -> Mapping[str, Any]:
    try:
        return diagnose(read_folder(folder), seed=seed)
    except BrokenData as error:
        raise CommandError(f"{error.code}: {error}") from error


def _settings(pairs: list[str]) -> dict[str, float]:
    try:
        return {name: float(value) for name, value in (pair.split("=", 1) for pair in pairs)}
    except ValueError as error:
        raise CommandError("setting_malformed: --set takes NAME=NUMBER.") from error


def _in_a_process(question: Question) -> dict[str, str | int | float]:
    """Return the row of a model that had a process to itself, so that its peak of memory is its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        try:
            return process.submit(_watched, question).result()
        except (BrokenData, UnknownModel) as error:
            raise CommandError(f"{error.code}: {error}") from error


def _watched(question: Question) -> dict[str, str | int | float]:
    """Evaluate with progress bars on the error stream."""
    with (
        tqdm(desc=f"{question.model}: fit", unit="step", file=sys.stderr, leave=False) as fit,
        tqdm(desc=f"{question.model}: rank", unit="viewer", file=sys.stderr, leave=False) as rank,
    ):

        def fitting(done: int, total: int) -> None:
            fit.total = total
            fit.update(done - fit.n)

        return evaluate(question, fitting=fitting, ranking=rank.update)


def _readable(row: Mapping[str, Any]) -> str:
    return "  ".join(f"{name} {value}" for name, value in row.items())
