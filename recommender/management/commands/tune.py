"""`manage.py tune`: the settings with which a model foresees best, for a folder or for a tenant."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from kpplatform.tenancy.models import Tenant
from recommender.ml.interactions import BrokenData
from recommender.ml.models import UnknownModel
from recommender.ml.reading import read_folder
from recommender.ml.searching import Trial, best, search
from recommender.ml.spaces import SAMPLERS, SPACES
from recommender.ml.splits import leave_one_out
from recommender.training.tuning import tune


class Command(BaseCommand):
    """Of a folder what was wanted last but one is foreseen, so that what was wanted last stays unseen by the search."""

    help = "Try settings of a model for some minutes; a tenant's next trainings use the best of them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        where = parser.add_mutually_exclusive_group(required=True)
        where.add_argument("--data", type=Path, help="folder with interactions.parquet")
        where.add_argument("--tenant", help="its slug")
        parser.add_argument("--model", required=True, choices=SPACES)
        parser.add_argument("--minutes", type=float, default=10.0)
        parser.add_argument("--trials", type=int, default=100, help="at most")
        parser.add_argument("--sampler", choices=SAMPLERS, default="tpe")
        parser.add_argument("--seed", type=int, default=0)

    def handle(self, **options: Any) -> None:
        spent = {"minutes": options["minutes"], "most": options["trials"], "seed": options["seed"]}
        asked: dict[str, Any] = {"sampler": options["sampler"], "told": self._say, **spent}
        try:
            if options["data"]:
                split = leave_one_out(read_folder(options["data"]), back=1)
                trials = search(options["model"], split, **asked)
            else:
                trials = tune(tenant=_tenant(options["tenant"]), model=options["model"], at=timezone.now(), **asked)
        except (BrokenData, UnknownModel) as error:
            raise CommandError(f"{error.code}: {error}") from error
        found = best(trials)
        self.stdout.write(json.dumps({"best": found and found._asdict(), "trials": len(trials)}))

    def _say(self, trial: Trial) -> None:
        self.stdout.write(json.dumps(trial._asdict()))


def _tenant(slug: str) -> Tenant:
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        raise CommandError(f"tenant_unknown: There is no tenant {slug}.")
    return tenant
