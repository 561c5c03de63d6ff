from django.urls import include, path
from rest_framework.routers import SimpleRouter

from recommender.api import feed, runs, versions

router = SimpleRouter(use_regex_path=False)
router.register("models", versions.ModelVersionViewSet, basename="model")
router.register("training-runs", runs.TrainingRunViewSet, basename="training-run")

urlpatterns = [path("feed/", feed.FeedView.as_view(), name="feed"), path("", include(router.urls))]
