from django.apps import AppConfig


class AdsConfig(AppConfig):
    name = "billing.ads"
    label = "ads"
    default_auto_field = "django.db.models.BigAutoField"
