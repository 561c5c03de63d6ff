from django.urls import include, path
from rest_framework.routers import SimpleRouter

from recommender.api import views

router = SimpleRouter(use_regex_path=False)
router.register("models", views.ModelVersionViewSet, basename="model")

urlpatterns = [path("feed/", views.FeedView.as_view(), name="feed"), path("", include(router.urls))]
