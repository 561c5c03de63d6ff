"""What the views of all floors are made from."""

from contextlib import AbstractContextManager
from typing import Any

from django.db.models import QuerySet
from django.utils import translation
from rest_framework import viewsets
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from kpplatform.rest.keyed import Keyed
from kpplatform.rest.permissions import signed_in
from kpplatform.rest.serializers import In
from kpplatform.tenancy.models import Member


class SignedIn(Keyed):
    """A view for members: `self.viewer` is who asks."""

    @property
    def viewer(self) -> Member:
        return signed_in(self.request)

    def in_their_language(self) -> AbstractContextManager[None]:
        """Speak the language that the viewer has chosen, else that of the request, within."""
        return translation.override(self.viewer.language or translation.get_language())

    def sent(self, form: type[In], *, partial: bool = False) -> dict[str, Any]:
        """Return what was sent, as the form reads it."""
        read = form(data=self.request.data, partial=partial)
        read.is_valid(raise_exception=True)
        return dict(read.validated_data)


class ViewSet(SignedIn, viewsets.GenericViewSet):  # type: ignore[type-arg]
    """The base of every viewset: keyed writes, a known viewer, pages by keyset."""

    def page(self, rows: QuerySet[Any], shown: type[BaseSerializer[Any]]) -> Response:
        """Answer with the page of the rows that was asked for."""
        return self.get_paginated_response(shown(self.paginate_queryset(rows), many=True).data)
