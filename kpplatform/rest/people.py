"""Who I am here, and the keys of my programs."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.request import Request
from rest_framework.response import Response

from kpplatform.rest import serializers
from kpplatform.rest.permissions import IsPerson
from kpplatform.rest.views import SignedIn, ViewSet
from kpplatform.tenancy import operations, queries
from kpplatform.tenancy.models import ApiToken


class MeView(SignedIn):
    """The member who asks."""

    @extend_schema(operation_id="me", responses=serializers.MeOut)
    def get(self, request: Request) -> Response:
        return Response(serializers.MeOut(self.viewer).data)

    @extend_schema(operation_id="me_update", request=serializers.MeIn, responses=serializers.MeOut)
    def patch(self, request: Request) -> Response:
        ask, member = self.sent(serializers.MeIn), self.viewer
        if "is_minor" in ask and (is_minor := ask.pop("is_minor")) != member.is_minor:
            member = operations.declare_minor(member=member, is_minor=is_minor, by=member)
        member = operations.introduce(member=member, **ask)
        return Response(serializers.MeOut(member).data)


class TokenViewSet(mixins.ListModelMixin, ViewSet):
    """The keys with which programs act as the member who asks."""

    permission_classes = [IsPerson]
    lookup_value_converter = "int"
    queryset = ApiToken.objects.none()
    serializer_class = serializers.TokenOut

    def get_queryset(self) -> Any:
        return queries.tokens_of(self.viewer)

    @extend_schema(request=serializers.TokenIn, responses={201: serializers.TokenIssued})
    def create(self, request: Request) -> Response:
        token, key = operations.issue_token(member=self.viewer, at=timezone.now(), **self.sent(serializers.TokenIn))
        return Response({**serializers.TokenOut(token).data, "key": key}, status=status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        operations.revoke_token(token=get_object_or_404(queries.tokens_of(self.viewer), pk=pk), at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def remembered(self, response: Response) -> Any:
        """Keep the key out of the database when the answer is kept for a repeated request."""
        return {**response.data, "key": None} if response.data else response.data
