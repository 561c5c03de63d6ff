"""The versions of the model behind the feed."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from kpplatform.rest.views import ViewSet
from recommender import operations, queries
from recommender.api.permissions import RunsTheTenant
from recommender.models import ModelVersion


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
            "learned_until",
            "trained_at",
            "published_at",
        ]


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
        return Response(ModelVersionOut(get_object_or_404(queries.versions(), pk=pk)).data)

    @extend_schema(request=None, responses={202: RetrainOut})
    @action(detail=False, methods=["post"])
    def retrain(self, request: Request) -> Response:
        """Ask for a training, by a worker and soon."""
        job = operations.ask_for_training()
        return Response({"job": job.pk if job else None}, status=status.HTTP_202_ACCEPTED)
