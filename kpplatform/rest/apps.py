from django.apps import AppConfig


class RestConfig(AppConfig):
    name = "kpplatform.rest"
    label = "rest"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from kpplatform.rest import schema  # noqa: F401, PLC0415  drf-spectacular finds extensions by import
