from django.apps import AppConfig
from django.contrib.admin import apps


class ConsoleConfig(AppConfig):
    name = "kpplatform.console"
    label = "console"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from kpplatform.console import names  # noqa: PLC0415  models are ready only now

        names.translate()


class AdminConfig(apps.AdminConfig):
    """Django's admin, with our site in the place of its own."""

    default_site = "kpplatform.console.site.ConsoleSite"
    default = False
