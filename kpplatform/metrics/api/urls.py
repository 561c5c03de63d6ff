from django.urls import path
from rest_framework.routers import SimpleRouter

from kpplatform.metrics.api.metrics import MetricsView, MetricView
from kpplatform.metrics.api.quality import PublishView, QualityView
from kpplatform.metrics.api.reports import WeeklyReportViewSet
from kpplatform.metrics.api.visits import VisitViewSet

router = SimpleRouter(use_regex_path=False)
router.register("weekly-reports", WeeklyReportViewSet, basename="weekly-report")
router.register("visits", VisitViewSet, basename="visit")

urlpatterns = [
    path("metrics/", MetricsView.as_view(), name="metrics"),
    path("metrics/<slug:name>/", MetricView.as_view(), name="metric"),
    path("videos/<int:id>/quality/", QualityView.as_view(), name="video-quality"),
    path("videos/<int:id>/publish/", PublishView.as_view(), name="video-publish"),
    *router.urls,
]
