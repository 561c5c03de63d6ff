"""Trainings, while they run and afterwards."""

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from kpplatform.rest.views import ViewSet
from recommender import queries
from recommender.api.permissions import RunsTheTenant
from recommender.models import TrainingRun


class TrainingRunOut(serializers.ModelSerializer[TrainingRun]):
    is_lost = serializers.BooleanField(help_text="Its worker died, and no other has taken it up again yet.")

    class Meta:
        model = TrainingRun
        fields = [
            "id",
            "kind",
            "state",
            "is_lost",
            "stage",
            "model",
            "progress",
            "seconds_left",
            "loss",
            "outcome",
            "version",
            "device",
            "seconds",
            "peak_mb",
            "resumed",
            "data",
            "data_until",
            "events",
            "viewers",
            "items",
            "plan",
            "settings",
            "costs",
            "curves",
            "metrics",
            "quality",
            "notes",
            "job",
            "started_at",
            "updated_at",
            "ended_at",
        ]


class TrainingRunViewSet(ViewSet):
    """How far a training is, how it learns, what it costs and how it ended."""

    permission_classes = [RunsTheTenant]
    serializer_class = TrainingRunOut
    queryset = TrainingRun.objects.none()
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[TrainingRun]:
        return queries.training_runs()

    @extend_schema(responses=TrainingRunOut(many=True))
    def list(self, request: Request) -> Response:
        """The trainings, newest first."""
        return self.page(queries.training_runs(), TrainingRunOut)

    @extend_schema(responses=TrainingRunOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One of them."""
        return Response(TrainingRunOut(get_object_or_404(queries.training_runs(), pk=pk)).data)
