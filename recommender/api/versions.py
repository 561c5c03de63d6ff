"""The versions of the model behind the feed: what they are worth, and who is served by which."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from kpplatform.rest.serializers import WhyIn
from kpplatform.rest.views import ViewSet
from recommender import operations, queries
from recommender.api.permissions import RunsTheTenant
from recommender.models import ModelVersion, VersionChange
from recommender.operations import Word


class ModelVersionOut(serializers.ModelSerializer[ModelVersion]):
    class Meta:
        model = ModelVersion
        fields = [
            "id",
            "kind",
            "state",
            "reason",
            "metrics",
            "events",
            "data",
            "learned_until",
            "recipe",
            "parent",
            "fault",
            "canary_share",
            "trained_at",
            "published_at",
        ]


class VersionChangeOut(serializers.ModelSerializer[VersionChange]):
    by = serializers.IntegerField(source="by_id", allow_null=True, help_text="The member; none for a training.")

    class Meta:
        model = VersionChange
        fields = ["id", "version", "before", "after", "share", "by", "why", "changed_at"]


class TryIn(WhyIn):
    percent = serializers.IntegerField(min_value=1, max_value=99, help_text="Of the viewers.")


class RetrainOut(serializers.Serializer[Any]):
    job = serializers.IntegerField(allow_null=True, help_text="None while one is waiting already.")


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
        return Response(ModelVersionOut(self._version(pk)).data)

    @extend_schema(responses=VersionChangeOut(many=True))
    @action(detail=False)
    def changes(self, request: Request) -> Response:
        """Who changed which version is served, the latest first."""
        return self.page(queries.changes(), VersionChangeOut)

    @extend_schema(request=None, responses={202: RetrainOut})
    @action(detail=False, methods=["post"])
    def retrain(self, request: Request) -> Response:
        """Ask for a training, by a worker and soon."""
        job = operations.ask_for_training()
        return Response({"job": job.pk if job else None}, status=status.HTTP_202_ACCEPTED)

    @extend_schema(request=WhyIn, responses=ModelVersionOut)
    @action(detail=True, methods=["post"])
    def promote(self, request: Request, pk: int) -> Response:
        """Serve this version to everybody: a canary that did well, or one that was served before."""
        version = operations.promote_version(version=self._version(pk), word=self._word(self.sent(WhyIn)))
        return Response(ModelVersionOut(version).data)

    @extend_schema(request=TryIn, responses=ModelVersionOut)
    @action(detail=True, methods=["post"])
    def canary(self, request: Request, pk: int) -> Response:
        """Try this version on a share of the viewers, always the same ones."""
        sent = self.sent(TryIn)
        tried = operations.try_version(version=self._version(pk), percent=sent["percent"], word=self._word(sent))
        return Response(ModelVersionOut(tried).data)

    @extend_schema(request=WhyIn, responses=ModelVersionOut)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: int) -> Response:
        """Serve this version to nobody any more."""
        version = operations.withdraw_version(version=self._version(pk), word=self._word(self.sent(WhyIn)))
        return Response(ModelVersionOut(version).data)

    @extend_schema(request=WhyIn, responses=ModelVersionOut)
    @action(detail=False, methods=["post"])
    def rollback(self, request: Request) -> Response:
        """Go back to the version that was published before the one in place."""
        return Response(ModelVersionOut(operations.roll_back(word=self._word(self.sent(WhyIn)))).data)

    def _version(self, pk: int) -> ModelVersion:
        return get_object_or_404(queries.versions(), pk=pk)

    def _word(self, sent: dict[str, Any]) -> Word:
        return Word(by=self.viewer, why=sent["why"], at=timezone.now())
