"""Every door of the platform, and two that answer a constant: to anybody, and to who is signed in."""

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from kpplatform.urls import urlpatterns as platform


class Constant(APIView):
    """Nothing but Django, DRF and the tenant's scope."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    def get(self, request: Request) -> Response:
        return Response({"constant": True})


class SignedInConstant(APIView):
    """The same behind the platform's own sign-in and throttles."""

    def get(self, request: Request) -> Response:
        return Response({"constant": True})


urlpatterns = [*platform, path("constant/", Constant.as_view()), path("signed-in/", SignedInConstant.as_view())]
