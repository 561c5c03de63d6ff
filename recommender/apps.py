from django.apps import AppConfig

from kpplatform.rest.health import watch


class RecommenderConfig(AppConfig):
    name = "recommender"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from recommender.queries import lacking  # noqa: PLC0415  models can be imported only now

        watch(lacking)
