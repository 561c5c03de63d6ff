from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "kpplatform.jobs"
    label = "jobs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Every process that may enqueue knows the broker.
        from kpplatform import celery  # noqa: F401, PLC0415  settings are ready only now
