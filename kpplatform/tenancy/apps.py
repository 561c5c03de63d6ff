from django.apps import AppConfig
from django.conf import settings
from django.db import connections
from django.db.models.signals import pre_migrate

from kpplatform.tenancy import roles


class TenancyConfig(AppConfig):
    name = "kpplatform.tenancy"
    label = "tenancy"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from kpplatform.tenancy import checks  # noqa: F401, PLC0415  checks register themselves once apps are loaded

        pre_migrate.connect(prepare_roles, sender=self)


def prepare_roles(*, using: str, **_: object) -> None:
    """Make the roles before the first migration grants them anything."""
    if using == roles.OWNER:
        with connections[using].cursor() as cursor:
            roles.prepare(cursor=cursor, roles=settings.ROLES, secret=settings.SECRET_KEY)
