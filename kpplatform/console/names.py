"""How tables and columns are called in the console, in the language of whoever reads."""

from django.apps import apps
from django.utils.translation import gettext_lazy

# From the ground up.
FLOORS = {
    "tenancy": gettext_lazy("Tenants and people"),
    "creators": gettext_lazy("Creators"),
    "catalog": gettext_lazy("Catalogue"),
    "billing": gettext_lazy("Books and sales"),
    "ads": gettext_lazy("Ads"),
    "recommender": gettext_lazy("Recommender"),
    "metrics": gettext_lazy("Figures"),
    "jobs": gettext_lazy("Jobs"),
    "rest": gettext_lazy("API"),
}
# Where adding an s does not make the plural.
PLURALS = {
    "ads.anomaly": "anomalies",
    "ads.useofcampaign": "uses of campaigns",
    "catalog.access": "access rights",
    "catalog.consentterms": "consent terms",
    "catalog.pass": "passes",
    "catalog.watch": "watches",
    "tenancy.apitoken": "API tokens",
}


def translate() -> None:
    """Make the names of all our tables and columns translatable. Models and migrations are not touched by it."""
    for floor, name in FLOORS.items():
        config = apps.get_app_config(floor)
        config.verbose_name = name
        for model in config.get_models():
            meta = model._meta
            meta.verbose_name_plural = gettext_lazy(PLURALS.get(meta.label_lower) or str(meta.verbose_name_plural))
            meta.verbose_name = gettext_lazy(str(meta.verbose_name))
            for field in meta.local_fields:
                field.verbose_name = gettext_lazy(str(field.verbose_name))
