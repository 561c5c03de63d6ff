from django.urls import include, path
from rest_framework.routers import SimpleRouter

from kpplatform.rest import people

router = SimpleRouter(use_regex_path=False)
router.register("tokens", people.TokenViewSet, basename="token")

urlpatterns = [path("me/", people.MeView.as_view(), name="me"), path("", include(router.urls))]
