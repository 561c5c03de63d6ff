"""`manage.py model`: which version of a tenant's model is served, and changing that from a shell."""

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from kpplatform.errors import Refused
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope
from recommender import operations, queries
from recommender.models import ModelVersion
from recommender.operations import Word

ACTIONS: dict[str, Callable[..., ModelVersion]] = {
    "promote": lambda version, _percent, word: operations.promote_version(version=version, word=word),
    "canary": lambda version, percent, word: operations.try_version(version=version, percent=percent, word=word),
    "withdraw": lambda version, _percent, word: operations.withdraw_version(version=version, word=word),
}
SHOWN = 10


class Command(BaseCommand):
    help = "List a tenant's versions; promote one, try one on some of the viewers, withdraw one, or go back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["list", "rollback", *ACTIONS])
        parser.add_argument("--tenant", required=True, help="its slug")
        parser.add_argument("--version-id", dest="version_id", type=int, help="of the version that is meant")
        parser.add_argument("--percent", type=int, default=10, choices=range(1, 100), metavar="1-99")
        parser.add_argument("--why", default="", help="kept with the change")

    def handle(self, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"tenant_unknown: There is no tenant {options['tenant']}.")
        with scope(tenant):
            try:
                self._do(options)
            except Refused as refused:
                raise CommandError(f"{refused.code}: {refused.detail}") from refused
            self._list()

    def _do(self, options: dict[str, Any]) -> None:
        word = Word(by=None, why=options["why"] or "from a shell", at=timezone.now())
        if options["action"] == "rollback":
            operations.roll_back(word=word)
        elif options["action"] in ACTIONS:
            ACTIONS[options["action"]](_version(options["version_id"]), options["percent"], word)

    def _list(self) -> None:
        for version in queries.versions()[:SHOWN]:
            share = f" {version.canary_share:.0%}".replace("%", " %") if version.canary_share else ""
            self.stdout.write(f"{version.pk}  {version.state}{share}  {version.kind}  {version.reason}")


def _version(pk: int | None) -> ModelVersion:
    if pk is None:
        raise CommandError("version_missing: Say which version is meant with --version-id.")
    version = queries.versions().filter(pk=pk).first()
    if version is None:
        raise CommandError(f"version_unknown: There is no version {pk}.")
    return version
