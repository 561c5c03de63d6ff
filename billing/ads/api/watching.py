"""The days of flights, what was odd about them, and make-goods."""

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing.ads import operations, queries
from billing.ads.models import Anomaly, FlightDay, MakeGood
from billing.api.views import MoneyViewSet
from billing.operations.staff import must_run_the_tenant
from kpplatform.rest.serializers import In

DECISIONS = (MakeGood.State.EXTENDED, MakeGood.State.CREDITED, MakeGood.State.DECLINED)


class FlightDayOut(serializers.ModelSerializer[FlightDay]):
    class Meta:
        model = FlightDay
        fields = ["id", "flight", "day", "offers", "views", "clicks", "held", "billed", "spent"]


class AnomalyOut(serializers.ModelSerializer[Anomaly]):
    flight = serializers.IntegerField(source="day.flight_id")
    day = serializers.DateField(source="day.day")
    by = serializers.CharField(allow_null=True)

    class Meta:
        model = Anomaly
        fields = [
            "id", "flight", "day", "measure", "seen", "expected", "low", "high", "reason", "found_at", "note", "by",
            "explained_at",
        ]  # fmt: skip


class AdNoteIn(In):
    note = serializers.CharField(max_length=200)


class MakeGoodOut(serializers.ModelSerializer[MakeGood]):
    class Meta:
        model = MakeGood
        fields = [
            "id", "flight", "until", "promised", "delivered", "days", "amount", "state", "note", "proposed_at",
            "decided_at",
        ]  # fmt: skip


class MakeGoodIn(AdNoteIn):
    how = serializers.ChoiceField([(state.value, state.label) for state in DECISIONS])


class FlightDayViewSet(MoneyViewSet):
    queryset = FlightDay.objects.none()

    @extend_schema(responses=FlightDayOut(many=True))
    def list(self, request: Request) -> Response:
        """Each day of each flight, the latest first: to staff all, to others their own."""
        return self.page(queries.days_seen_by(self.viewer), FlightDayOut)


class AnomalyViewSet(MoneyViewSet):
    queryset = Anomaly.objects.none()
    lookup_value_converter = "int"

    @extend_schema(responses=AnomalyOut(many=True))
    def list(self, request: Request) -> Response:
        """What was unlikely about a day, the latest first: to staff all, to others their own."""
        return self.page(queries.anomalies_seen_by(self.viewer), AnomalyOut)

    @extend_schema(request=AdNoteIn, responses=AnomalyOut)
    @action(detail=True, methods=["post"])
    def explain(self, request: Request, pk: int) -> Response:
        """Say what it was: for the tenant's staff."""
        anomaly = get_object_or_404(queries.anomalies_seen_by(self.viewer), pk=pk)
        note = self.sent(AdNoteIn)["note"]
        operations.explain_anomaly(anomaly=anomaly, by=self.viewer, note=note, at=timezone.now())
        return Response(AnomalyOut(queries.anomalies_seen_by(self.viewer).get(pk=pk)).data)


class MakeGoodViewSet(MoneyViewSet):
    queryset = MakeGood.objects.none()
    lookup_value_converter = "int"

    @extend_schema(responses=MakeGoodOut(many=True))
    def list(self, request: Request) -> Response:
        """What is proposed for sponsorships that were not delivered in full, and what became of it."""
        return self.page(queries.make_goods_seen_by(self.viewer), MakeGoodOut)

    @extend_schema(request=MakeGoodIn, responses=MakeGoodOut)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: int) -> Response:
        """Let it go on, credit it, or neither: for the tenant's staff."""
        make_good = get_object_or_404(queries.make_goods_seen_by(self.viewer), pk=pk)
        must_run_the_tenant(self.viewer)
        ask = self.sent(MakeGoodIn)
        decided = operations.decide_on_make_good(make_good=make_good, by=self.viewer, at=timezone.now(), **ask)
        return Response(MakeGoodOut(decided).data)
