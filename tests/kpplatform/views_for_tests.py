"""A site of its own with views that write, refuse and break, to see what becomes of it."""

from typing import Any

from django.urls import include, path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from kpplatform.errors import Conflict, PaymentNeeded
from kpplatform.rest.serializers import In
from kpplatform.rest.views import SignedIn
from kpplatform.tenancy.models import Member


class TooPoor(PaymentNeeded):
    code = "too_poor"


class NoteIn(In):
    name = serializers.CharField(max_length=100)
    count = serializers.IntegerField(min_value=0, max_value=10, required=False)


class NoteView(SignedIn):
    """Writes a member, then ends in the way that the path names."""

    ends: str = ""

    def post(self, request: Request) -> Response:
        sent = NoteIn(data=request.data)
        sent.is_valid(raise_exception=True)
        note = Member.objects.create(name=sent.validated_data["name"])
        if self.ends == "refused":
            raise TooPoor("It costs more than that.")
        if self.ends == "conflict":
            return Response({"code": Conflict.code}, status=409)
        if self.ends == "broken":
            raise ZeroDivisionError
        return Response({"id": note.pk, "name": note.name}, status=201)

    def get(self, request: Request) -> Response:
        return Response({"members": Member.objects.count()})


def under(ends: str) -> Any:
    return path(f"api/v1/notes/{ends}", NoteView.as_view(ends=ends))


urlpatterns = [under(""), under("refused"), under("conflict"), under("broken"), path("", include("kpplatform.urls"))]
handler400 = "kpplatform.rest.problems.bad_request"
handler404 = "kpplatform.rest.problems.not_found"
handler500 = "kpplatform.rest.problems.server_error"
