"""`manage.py evaluate`: a row of figures per model, for any folder of interactions or for a tenant."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from kpplatform.tenancy.models import Tenant
from recommender.ml.affinity import diagnose
from recommender.ml.apart import measured_apart
from recommender.ml.evaluation import PROTOCOLS, Measured, Question, compare
from recommender.ml.interactions import BrokenData
from recommender.ml.models import MODELS, UnknownModel
from recommender.ml.reading import read_folder
from recommender.ml.sequence.stepping import TrainingFailed
from recommender.ml.splits import FOLDED_BY
from recommender.training.validating import evaluate

FOR_FOLDERS = ("affinity", "beside", "compare", "checkpoints")


class Command(BaseCommand):
    """A folder needs no database: it is read, split, learned and ranked in memory, a process per model.

    What is found for a tenant is kept in a row beside its trainings.
    """

    help = "Judge models on interactions: all items ranked, seen ones left out."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        where = parser.add_mutually_exclusive_group(required=True)
        where.add_argument("--data", type=Path, help="folder with interactions.parquet")
        where.add_argument("--tenant", help="its slug: what its viewers did is judged, and the figures are kept")
        parser.add_argument("--protocol", "--split", choices=PROTOCOLS, default=PROTOCOLS[0])
        parser.add_argument("--folds", type=int, default=5, help="of a k-fold")
        parser.add_argument("--by", choices=FOLDED_BY, default=FOLDED_BY[0], help="what a k-fold parts")
        parser.add_argument("--model", default="all", help=f"all, or some of {', '.join(MODELS)}")
        parser.add_argument("--beside", metavar="MODEL", help="judge this one, too, and say by how much it is beaten")
        parser.add_argument("--compare", nargs=2, metavar="MODEL", help="judge the first beside the second")
        parser.add_argument("--k", type=int, default=10, help="length of the page that is judged")
        parser.add_argument("--split-at", type=int, help="first moment of the test, ms (default: the last fifth)")
        parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a model's setting")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--device", default="cpu")
        parser.add_argument(
            "--tell-when", action="store_true", help="tell models when each viewer asks, as serving does"
        )
        parser.add_argument("--checkpoints", type=Path, help="folder from which a fit of the same model goes on")
        parser.add_argument("--affinity", action="store_true", help="say instead whether like viewers like alike")
        parser.add_argument("--json", action="store_true", help="one JSON object per line")

    def handle(self, **options: Any) -> None:
        if options["tenant"]:
            self._of_tenant(options)
            return
        if options["affinity"]:
            self._say(_affinity(options["data"], options["seed"]), options)
            return
        names, beside = _asked_for(options)
        question = _question(options)
        rival = self._judged(replace(question, model=beside, settings=None), options) if beside else None
        for name in names:
            judged = self._judged(replace(question, model=name), options)
            if rival:
                self._say(compare(judged, rival, seed=question.seed), options)

    def _of_tenant(self, options: Mapping[str, Any]) -> None:
        if strange := [name for name in FOR_FOLDERS if options[name]]:
            raise CommandError(f"for_folders_only: --{strange[0]} is for a folder.")
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"tenant_unknown: There is no tenant {options['tenant']}.")
        names, question = _names(options), _question(options)
        try:
            evaluate(
                tenant=tenant,
                names=names,
                question=question,
                at=timezone.now(),
                told=lambda row: self._say(row, options),
            )
        except (BrokenData, UnknownModel, TrainingFailed) as error:
            raise CommandError(f"{error.code}: {error}") from error

    def _judged(self, question: Question, options: Mapping[str, Any]) -> Measured:
        measured = _measured(question)
        self._say(measured.row, options)
        return measured

    def _say(self, row: Mapping[str, Any], options: Mapping[str, Any]) -> None:
        self.stdout.write(json.dumps(row) if options["json"] else _readable(row))


def _asked_for(options: Mapping[str, Any]) -> tuple[list[str], str | None]:
    """Return the models to judge, and the one to judge them beside."""
    if options["compare"]:
        first, second = options["compare"]
        return [first], second
    return [name for name in _names(options) if name != options["beside"]], options["beside"]


def _names(options: Mapping[str, Any]) -> list[str]:
    return list(MODELS) if options["model"] == "all" else options["model"].split(",")


def _question(options: Mapping[str, Any]) -> Question:
    if options["k"] < 1:
        raise CommandError("k_too_small: --k must be at least 1.")
    return Question(
        folder=options["data"] or Path(),
        protocol=options["protocol"],
        model="",
        k=options["k"],
        seed=options["seed"],
        split_at=options["split_at"],
        settings=_settings(options["set"]),
        device=options["device"],
        folds=options["folds"],
        by=options["by"],
        tell_when=options["tell_when"],
        checkpoints=options["checkpoints"],
    )


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


def _measured(question: Question) -> Measured:
    try:
        return measured_apart(question)
    except (BrokenData, UnknownModel, TrainingFailed) as error:
        raise CommandError(f"{error.code}: {error}") from error


def _readable(row: Mapping[str, Any]) -> str:
    """Return the figures in one line, those that hold figures themselves each in a line of its own."""
    plain = "  ".join(f"{name} {value}" for name, value in row.items() if not isinstance(value, Mapping))
    nested = {name: values for name, values in row.items() if isinstance(values, Mapping)}
    return "\n".join([plain, *(f"  {name}: {_readable(values)}" for name, values in nested.items())])
