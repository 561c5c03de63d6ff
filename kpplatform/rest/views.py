"""What the views of all floors are made from."""

from rest_framework import viewsets
from rest_framework.request import Request

from kpplatform.rest.keyed import Keyed
from kpplatform.rest.permissions import signed_in
from kpplatform.tenancy.models import Member


class SignedIn(Keyed):
    """A view for members: `self.viewer` is who asks."""

    request: Request

    @property
    def viewer(self) -> Member:
        return signed_in(self.request)


class ViewSet(SignedIn, viewsets.GenericViewSet):  # type: ignore[misc, type-arg]
    """The base of every viewset: keyed writes, a known viewer, pages by keyset."""
