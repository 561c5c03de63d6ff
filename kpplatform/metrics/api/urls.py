from django.urls import path
from rest_framework.routers import SimpleRouter

from kpplatform.metrics.api.metrics import MetricsView, MetricView
from kpplatform.metrics.api.visits import VisitViewSet

router = SimpleRouter(use_regex_path=False)
router.register("visits", VisitViewSet, basename="visit")

urlpatterns = [
    path("metrics/", MetricsView.as_view(), name="metrics"),
    path("metrics/<slug:name>/", MetricView.as_view(), name="metric"),
    *router.urls,
]
