"""`manage.py export_span_labels --tenant … --to FILE`: what staff marked, as lines that `train_course_tagger` reads."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope
from recommender import queries
from recommender.ml.tagger.sentences import write


class Command(BaseCommand):
    help = "Write the comments that staff marked as lines of JSON: text and spans."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, help="its slug")
        parser.add_argument("--to", type=Path, required=True, help="the file")

    def handle(self, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"There is no tenant {options['tenant']}.")
        with scope(tenant):
            marked = list(queries.labelled_sentences())
        write(options["to"], marked)
        self.stdout.write(f"{len(marked)} comments")
