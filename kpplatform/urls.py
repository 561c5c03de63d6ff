"""Every door of the platform."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from kpplatform.rest.health import health

urlpatterns = [
    path("health/", health),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("_allauth/", include("allauth.headless.urls")),
    path("api/v1/", include("kpplatform.rest.urls")),
    path("api/v1/", include("creators.api.urls")),
    path("api/v1/", include("catalog.api.urls")),
    path("api/v1/", include("billing.api.urls")),
    path("api/v1/", include("billing.ads.api.urls")),
    path("api/v1/", include("recommender.api.urls")),
    path("api/v1/", include("kpplatform.metrics.api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
]

handler400 = "kpplatform.rest.problems.bad_request"
handler403 = "kpplatform.rest.problems.forbidden"
handler404 = "kpplatform.rest.problems.not_found"
handler500 = "kpplatform.rest.problems.server_error"
