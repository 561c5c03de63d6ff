from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from billing.providers import checks  # noqa: F401, PLC0415  checks register themselves once apps are loaded
