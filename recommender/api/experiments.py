"""Experiments: plan, begin, look as often as one likes, end."""

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from kpplatform.rest.serializers import In, WhyIn
from kpplatform.rest.views import ViewSet
from recommender import operations, queries
from recommender.api.permissions import RunsTheTenant
from recommender.models import Experiment, ExperimentReading
from recommender.operations import Arm


class ArmIn(In):
    name = serializers.SlugField(max_length=40)
    share = serializers.FloatField(min_value=0, max_value=1, help_text="Of all viewers.")
    settings = serializers.DictField(
        required=False, default=dict, help_text="What differs from the feed's settings; nothing for the control."
    )


class ExperimentIn(In):
    name = serializers.SlugField(max_length=60, help_text="Viewers are dealt by it; another name deals anew.")
    hypothesis = serializers.CharField(max_length=1_000, required=False, default="", allow_blank=True)
    metric = serializers.ChoiceField(choices=Experiment.Metric.choices, help_text="What it is about, per viewer.")
    arms = ArmIn(many=True, help_text="The first is the control.")


class ExperimentOut(serializers.ModelSerializer[Experiment]):
    class Meta:
        model = Experiment
        fields = [
            "id",
            "name",
            "hypothesis",
            "metric",
            "arms",
            "state",
            "figures",
            "created_at",
            "started_at",
            "ended_at",
            "ended_why",
        ]


class ReadingOut(serializers.ModelSerializer[ExperimentReading]):
    class Meta:
        model = ExperimentReading
        fields = ["id", "figures", "read_at"]


class ExperimentViewSet(ViewSet):
    """What is tried out on some viewers."""

    permission_classes = [RunsTheTenant]
    serializer_class = ExperimentOut
    queryset = Experiment.objects.none()
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Experiment]:
        return queries.all_experiments()

    @extend_schema(responses=ExperimentOut(many=True))
    def list(self, request: Request) -> Response:
        """The experiments, newest first."""
        return self.page(queries.all_experiments(), ExperimentOut)

    @extend_schema(responses=ExperimentOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One of them."""
        return Response(ExperimentOut(self._experiment(pk)).data)

    @extend_schema(request=ExperimentIn, responses={201: ExperimentOut})
    def create(self, request: Request) -> Response:
        """Plan one; nobody is served by it yet."""
        sent = self.sent(ExperimentIn)
        arms = [Arm(**arm) for arm in sent.pop("arms")]
        planned = operations.plan_experiment(**sent, arms=arms, at=timezone.now())
        return Response(ExperimentOut(planned).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=ExperimentOut)
    @action(detail=True, methods=["post"])
    def begin(self, request: Request, pk: int) -> Response:
        """Deal viewers to its arms from the next page on."""
        begun = operations.begin_experiment(experiment=self._experiment(pk), at=timezone.now())
        return Response(ExperimentOut(begun).data)

    @extend_schema(request=WhyIn, responses=ExperimentOut)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: int) -> Response:
        """Serve everybody as before from the next page on, and keep what was found."""
        ended = operations.end_experiment(
            experiment=self._experiment(pk), why=self.sent(WhyIn)["why"], killed=False, at=timezone.now()
        )
        return Response(ExperimentOut(ended).data)

    @extend_schema(request=None, responses=ReadingOut)
    @action(detail=True, methods=["post"])
    def read(self, request: Request, pk: int) -> Response:
        """Look at what it shows now; the bounds hold however often one looks."""
        reading = operations.read_experiment(experiment=self._experiment(pk), at=timezone.now())
        return Response(ReadingOut(reading).data)

    @extend_schema(responses=ReadingOut(many=True))
    @action(detail=True)
    def readings(self, request: Request, pk: int) -> Response:
        """What it had shown until now, the newest first."""
        return self.page(queries.readings(self._experiment(pk)), ReadingOut)

    def _experiment(self, pk: int) -> Experiment:
        return get_object_or_404(queries.all_experiments(), pk=pk)
