"""Trainings, while they run and afterwards."""

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from kpplatform.rest.serializers import In
from kpplatform.rest.views import ViewSet
from recommender import operations, queries
from recommender.api.permissions import RunsTheTenant
from recommender.ml.spaces import SAMPLERS, SPACES
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


class SearchIn(In):
    model = serializers.ChoiceField(sorted(SPACES))
    minutes = serializers.FloatField(default=10.0, help_text="After which no trial begins.")
    trials = serializers.IntegerField(default=100, help_text="At most.")
    sampler = serializers.ChoiceField(SAMPLERS, default=SAMPLERS[0])
    seed = serializers.IntegerField(default=0)


class TrainingRunViewSet(ViewSet):
    """How far a training, a search or an evaluation is, how it learns, what it costs and how it ended."""

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
        return Response(TrainingRunOut(self._run(pk)).data)

    @extend_schema(request=SearchIn, responses={202: TrainingRunOut})
    @action(detail=False, methods=["post"])
    def search(self, request: Request) -> Response:
        """Have a worker search a model's settings; the next trainings use the best."""
        asked = operations.ask_for_search(**self.sent(SearchIn), at=timezone.now())
        return Response(TrainingRunOut(self._run(asked.pk)).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(request=None, responses=TrainingRunOut)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: int) -> Response:
        """Have it done no further."""
        operations.cancel_run(run=self._run(pk), at=timezone.now())
        return Response(TrainingRunOut(self._run(pk)).data)

    def _run(self, pk: int) -> TrainingRun:
        return get_object_or_404(queries.training_runs(), pk=pk)
