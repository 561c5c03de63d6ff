"""The feed, and the versions of the model behind it."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from kpplatform.errors import Forbidden
from kpplatform.rest.permissions import IsMember, signed_in
from kpplatform.rest.views import SignedIn, ViewSet
from recommender import operations, queries
from recommender.api.cursors import cursor_of, session_of
from recommender.api.serializers import FeedIn, FeedOut, ModelVersionOut, RetrainOut
from recommender.models import ModelVersion
from recommender.operations import Page, Session


class FeedView(SignedIn, APIView):
    """What to watch next."""

    @extend_schema(operation_id="feed", parameters=[FeedIn], responses=FeedOut)
    def get(self, request: Request) -> Response:
        """Show the viewer the next page: without a cursor a new session begins."""
        asked = FeedIn(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        at, cursor = timezone.now(), asked.validated_data.get("cursor")
        session = session_of(cursor, viewer=self.viewer, at=at) if cursor else Session(at)
        limit = asked.validated_data["limit"]
        page = operations.show_page(viewer=self.viewer, limit=limit, session=session, at=at)
        return Response(self._out(page, limit))

    def _out(self, page: Page, limit: int) -> dict[str, Any]:
        # Plain dicts: rendering twenty cards through serializers costs more than choosing them.
        following = None
        if page.following:
            asked = urlencode({"cursor": cursor_of(page.following, viewer=self.viewer), "limit": limit})
            following = self.request.build_absolute_uri(f"{self.request.path}?{asked}")
        results = [shown.item | {"position": shown.position, "source": shown.source} for shown in page.shown]
        return {"page": page.id, "version": page.version, "next": following, "results": results}


class RunsTheTenant(IsMember):
    """Let the tenant's staff in."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        if not signed_in(request).runs_the_tenant:
            raise Forbidden("Only the tenant's staff may see its models.")
        return True


class ModelVersionViewSet(ViewSet):
    """What was trained, how it did, and why it is served or not."""

    permission_classes = [RunsTheTenant]
    serializer_class = ModelVersionOut
    queryset = ModelVersion.objects.none()
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[ModelVersion]:
        return queries.versions()

    @extend_schema(responses=ModelVersionOut(many=True))
    def list(self, request: Request) -> Response:
        """The versions, newest first."""
        return self.page(queries.versions(), ModelVersionOut)

    @extend_schema(responses=ModelVersionOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One of them."""
        return Response(ModelVersionOut(get_object_or_404(queries.versions(), pk=pk)).data)

    @extend_schema(request=None, responses={202: RetrainOut})
    @action(detail=False, methods=["post"])
    def retrain(self, request: Request) -> Response:
        """Ask for a training, by a worker and soon."""
        job = operations.ask_for_training()
        return Response({"job": job.pk if job else None}, status=status.HTTP_202_ACCEPTED)
