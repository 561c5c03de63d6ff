"""`manage.py audit`: whom a model favours, on any folder of interactions, or as it was told of a tenant's versions."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope
from recommender import queries
from recommender.ml import models
from recommender.ml.audit import Report, audit
from recommender.ml.evaluation import PROTOCOLS, Question, judge, splits
from recommender.ml.interactions import BrokenData
from recommender.ml.models import UnknownModel
from recommender.ml.reading import read_folder
from recommender.ml.sequence.stepping import TrainingFailed


class Command(BaseCommand):
    """With a folder it needs no database."""

    help = "Say how creators are exposed, how popular what is shown is, and whom a model serves badly, as JSON."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        of = parser.add_mutually_exclusive_group(required=True)
        of.add_argument("--data", type=Path, help="folder with interactions.parquet")
        of.add_argument("--tenant", help="its slug: what was found of its newest version when it was judged")
        parser.add_argument("--protocol", choices=PROTOCOLS, default="time-split")
        parser.add_argument("--model", default="recent-als", help="learned and judged on the folder")
        parser.add_argument("--k", type=int, default=10)
        parser.add_argument("--seed", type=int, default=0)

    def handle(self, **options: Any) -> None:
        told = of_tenant(options["tenant"]) if options["tenant"] else _of_folder(options)
        self.stdout.write(json.dumps(told))


def of_tenant(slug: str) -> Report:
    """Return the audit of the tenant's newest version that has one. Raises CommandError."""
    if (tenant := Tenant.objects.filter(slug=slug).first()) is None:
        raise CommandError(f"tenant_unknown: There is no tenant {slug}.")
    with scope(tenant):
        version = queries.audited_version()
        if version is None:
            raise CommandError(f"nothing_audited: No version of {slug} has been judged yet.")
        return {"tenant": slug, "version": version.pk, "model": version.kind, **version.metrics["audit"]}


def _of_folder(options: dict[str, Any]) -> Report:
    question = Question(options["data"], options["protocol"], options["model"], k=options["k"], seed=options["seed"])
    try:
        split = next(iter(splits(read_folder(question.folder), question)))
        fitted = models.fit(question.model, split.train, seed=question.seed)
    except (BrokenData, UnknownModel, TrainingFailed) as error:
        raise CommandError(f"{error.code}: {error}") from error
    found = audit(judge(fitted, split, k=question.k), split, k=question.k, seed=question.seed)
    return {"data": question.folder.resolve().name, "model": question.model, "protocol": question.protocol, **found}
