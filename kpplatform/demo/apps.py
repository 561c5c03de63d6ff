from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "kpplatform.demo"
    label = "demo"
