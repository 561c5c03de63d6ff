"""After a new key was put in front of CREDENTIAL_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand

from billing import operations
from kpplatform.tenancy import roles
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope


class Command(BaseCommand):
    help = "Seal every tenant's credentials with the first of CREDENTIAL_KEYS; then the others can be left out."

    def handle(self, **_: Any) -> None:
        resealed = 0
        for tenant in Tenant.objects.using(roles.APP).order_by("pk"):
            with scope(tenant):
                resealed += operations.reseal_credentials()
        self.stdout.write(f"{resealed} accounts are sealed with the first key.")
