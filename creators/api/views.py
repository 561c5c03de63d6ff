"""Become a creator, be read, be followed."""

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from creators import operations, queries
from creators.api.serializers import CreatorDetailOut, CreatorIn, CreatorOut, FollowOut, HiddenCreatorOut, ProfileIn
from creators.models import Creator
from kpplatform.rest.views import ViewSet


class CreatorViewSet(ViewSet):
    lookup_field = "handle"
    lookup_value_converter = "slug"

    def creator(self, handle: str) -> Creator:
        return get_object_or_404(queries.creators(), handle=handle)

    @extend_schema(responses=CreatorOut(many=True))
    def list(self, request: Request) -> Response:
        """The tenant's creators, newest first."""
        return self.page(queries.creators(), CreatorOut)

    @extend_schema(request=CreatorIn, responses={201: CreatorOut})
    def create(self, request: Request) -> Response:
        """Become a creator under a handle."""
        made = operations.become_creator(member=self.viewer, **self.sent(CreatorIn))
        return Response(CreatorOut(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses=CreatorDetailOut)
    def retrieve(self, request: Request, handle: str) -> Response:
        """One creator."""
        creator = self.creator(handle)
        context = {"is_followed": queries.is_following(self.viewer, creator)}
        return Response(CreatorDetailOut(creator, context=context).data)

    @extend_schema(request=ProfileIn, responses=CreatorOut)
    def partial_update(self, request: Request, handle: str) -> Response:
        """Change what a creator says of themselves: their own, or by the tenant's staff."""
        profile = self.sent(ProfileIn, partial=True)
        revised = operations.revise_creator(creator=self.creator(handle), by=self.viewer, **profile)
        return Response(CreatorOut(revised).data)

    @extend_schema(methods=["PUT"], request=None, responses={204: None})
    @extend_schema(methods=["DELETE"], request=None, responses={204: None})
    @action(detail=True, methods=["put", "delete"])
    def follow(self, request: Request, handle: str) -> Response:
        """Follow the creator, or stop; twice is once."""
        creator = self.creator(handle)
        if request.method == "PUT":
            operations.follow(viewer=self.viewer, creator=creator, at=timezone.now())
        else:
            operations.unfollow(viewer=self.viewer, creator=creator)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(methods=["PUT"], request=None, responses={204: None})
    @extend_schema(methods=["DELETE"], request=None, responses={204: None})
    @action(detail=True, methods=["put", "delete"])
    def hidden(self, request: Request, handle: str) -> Response:
        """See nothing more of the creator in the feed, and follow them no longer; or see them again."""
        creator = self.creator(handle)
        if request.method == "PUT":
            operations.hide_creator(viewer=self.viewer, creator=creator, at=timezone.now())
        else:
            operations.show_creator_again(viewer=self.viewer, creator=creator)
        return Response(status=status.HTTP_204_NO_CONTENT)


class HiddenCreatorViewSet(ViewSet):
    @extend_schema(responses=HiddenCreatorOut(many=True))
    def list(self, request: Request) -> Response:
        """Whom who asks wants to see nothing of, the latest first."""
        return self.page(queries.hidden_creators(self.viewer), HiddenCreatorOut)


class FollowViewSet(ViewSet):
    @extend_schema(responses=FollowOut(many=True))
    def list(self, request: Request) -> Response:
        """Whom who asks follows, the latest first."""
        return self.page(queries.follows(self.viewer), FollowOut)
