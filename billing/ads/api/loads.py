"""Try loads of ads on viewers, see what came of it, end it, take one of them for everybody."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing.ads import operations, queries
from billing.ads.market.load import MOST_APART, Answer
from billing.ads.models import LoadChange, LoadTrial
from billing.ads.operations.trying import FEWEST_LOADS, MOST_LOADS
from billing.ads.queries.load_results import MEASURES, LoadArm
from billing.api.price_experiments import DifferenceOut
from billing.api.views import MoneyViewSet
from billing.money import WHOLE_BPS
from billing.operations.staff import must_run_the_tenant
from kpplatform.rest.serializers import In, WhyIn


class LoadTrialIn(In):
    name = serializers.CharField(max_length=100)
    loads = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=MOST_APART),
        min_length=FEWEST_LOADS,
        max_length=MOST_LOADS,
        help_text="Items between two ads in each arm, 0 being no ads. The others are compared with the first.",
    )
    shares_bps = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=WHOLE_BPS),
        min_length=FEWEST_LOADS,
        max_length=MOST_LOADS,
        help_text="Of viewers, load by load, in hundredths of a percent; who is in none has the usual load.",
    )
    floor_bps = serializers.IntegerField(
        min_value=1,
        max_value=WHOLE_BPS - 1,
        help_text="By so much less than in the first arm viewers may be there, in hundredths of a percent.",
    )
    starts_at = serializers.DateTimeField(required=False, help_text="Now, if not given.")
    ends_at = serializers.DateTimeField(help_text="By then it is over, if nobody ends it before.")


class LoadAdoptIn(WhyIn):
    load = serializers.IntegerField(min_value=0, max_value=MOST_APART, help_text="Items between two ads; 0: no ads.")


class LoadTrialOut(serializers.ModelSerializer[LoadTrial]):
    made_by = serializers.CharField(source="made_by.name")
    ended_by = serializers.CharField(source="ended_by.name", default=None, allow_null=True)

    class Meta:
        model = LoadTrial
        fields = [
            "id", "name", "loads", "shares_bps", "floor_bps", "made_by", "starts_at", "ends_at", "ended_at", "ended_by",
            "why", "read_at",
        ]  # fmt: skip


class LoadChangeOut(serializers.ModelSerializer[LoadChange]):
    by = serializers.CharField(source="by.name")
    trial = serializers.IntegerField(source="trial_id")

    class Meta:
        model = LoadChange
        fields = ["id", "load", "before", "trial", "by", "why", "changed_at"]


class BoundsOut(serializers.Serializer[Any]):
    mean = serializers.FloatField()
    low = serializers.FloatField(help_text="The bounds hold however often one looks.")
    high = serializers.FloatField()


class MeasureOut(serializers.Serializer[Any]):
    measure = serializers.ChoiceField(
        list(MEASURES),
        help_text="Of a viewer's first week: days of seven on which they watched, minutes, and what they brought in "
        "minor units by ads, by other ways, and together.",
    )
    mean = serializers.FloatField()
    difference = DifferenceOut(allow_null=True, help_text="From the first arm's; none while too little is known.")


class LoadArmOut(serializers.Serializer[Any]):
    load = serializers.IntegerField(source="every", help_text="Items between two ads; 0: no ads.")
    share = serializers.IntegerField()
    dealt = serializers.IntegerField(help_text="Viewers who asked for a page in this arm …")
    viewers = serializers.IntegerField(help_text="… and those of them whose first week is over.")
    measures = serializers.SerializerMethodField()
    cost = BoundsOut(allow_null=True, help_text="Of other income, by each unit of income from ads.")

    @extend_schema_field(MeasureOut(many=True))
    def get_measures(self, arm: LoadArm) -> list[Any]:
        told = (
            {"measure": name, "mean": arm.samples[name].mean, "difference": arm.differences.get(name)}
            for name in MEASURES
        )
        return list(MeasureOut(told, many=True).data)


class SuggestionOut(serializers.Serializer[Any]):
    answer = serializers.ChoiceField([of.value for of in Answer])
    load = serializers.IntegerField(source="every", allow_null=True, help_text="Items between two ads; 0: no ads.")
    slope = BoundsOut(allow_null=True, help_text="Change of the log of the days by an ad more in 100 items.")
    kept = BoundsOut(allow_null=True, help_text="Days beside those of the first arm, 1 being as many.")
    gain = BoundsOut(allow_null=True, help_text="What a viewer brings more in the long run, in minor units.")


class LoadResultsOut(serializers.Serializer[Any]):
    sample_ratio_p = serializers.FloatField(help_text="How likely it is that viewers were dealt by the shares.")
    dealt_fairly = serializers.BooleanField()
    arms = LoadArmOut(many=True)
    suggestion = SuggestionOut(allow_null=True, help_text="None where the arms were not dealt fairly.")


class LoadTrialViewSet(MoneyViewSet):
    """Loads of ads that are tried: for the tenant's staff."""

    queryset = LoadTrial.objects.none()
    lookup_value_converter = "int"

    def trial(self, pk: int) -> LoadTrial:
        must_run_the_tenant(self.viewer)
        return get_object_or_404(queries.load_trials(), pk=pk)

    def shown(self, pk: int, code: int = status.HTTP_200_OK) -> Response:
        return Response(LoadTrialOut(self.trial(pk)).data, status=code)

    @extend_schema(responses=LoadTrialOut(many=True))
    def list(self, request: Request) -> Response:
        """What loads are tried and were, newest first."""
        must_run_the_tenant(self.viewer)
        return self.page(queries.load_trials(), LoadTrialOut)

    @extend_schema(responses=LoadTrialOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One of the trials."""
        return self.shown(pk)

    @extend_schema(request=LoadTrialIn, responses={201: LoadTrialOut})
    def create(self, request: Request) -> Response:
        """Let viewers have different loads of ads, dealt by chance alone; one trial at a time."""
        now, ask = timezone.now(), self.sent(LoadTrialIn)
        said = {"starts_at": now, "shares": ask.pop("shares_bps")}
        made = operations.try_loads(by=self.viewer, at=now, **said | ask)
        return self.shown(made.pk, status.HTTP_201_CREATED)

    @extend_schema(request=WhyIn, responses=LoadTrialOut)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: int) -> Response:
        """Let everybody have the usual load again."""
        trial, ask = self.trial(pk), self.sent(WhyIn)
        operations.end_load_trial(trial=trial, by=self.viewer, at=timezone.now(), **ask)
        return self.shown(pk)

    @extend_schema(request=LoadAdoptIn, responses=LoadTrialOut)
    @action(detail=True, methods=["post"])
    def adopt(self, request: Request, pk: int) -> Response:
        """Let everybody have one of the loads, or one between them, and end the trial."""
        trial, ask = self.trial(pk), self.sent(LoadAdoptIn)
        said = {"every": ask["load"], "why": ask["why"]}
        operations.adopt_load(trial=trial, by=self.viewer, at=timezone.now(), **said)
        return self.shown(pk)

    @extend_schema(responses=LoadResultsOut)
    @action(detail=True, methods=["get"])
    def results(self, request: Request, pk: int) -> Response:
        """What was last read of it, once an hour, and which load follows; look as often as you like."""
        return Response(LoadResultsOut(queries.load_results(self.trial(pk))).data)


class LoadChangeViewSet(MoneyViewSet):
    queryset = LoadChange.objects.none()

    @extend_schema(responses=LoadChangeOut(many=True))
    def list(self, request: Request) -> Response:
        """Since when which load was adopted for everybody, newest first: for the tenant's staff."""
        must_run_the_tenant(self.viewer)
        return self.page(queries.load_changes(), LoadChangeOut)
