"""The dictionary of all numbers, as a table."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import translation

from kpplatform.metrics.dictionary import table
from kpplatform.metrics.queries import METRICS


class Command(BaseCommand):
    help = "Print the dictionary of metrics as a table of Markdown: what stands in docs/metrics.md."
    requires_system_checks: list[str] = []

    def handle(self, **_: Any) -> None:
        with translation.override("en"):
            self.stdout.write(table(METRICS.values()))
