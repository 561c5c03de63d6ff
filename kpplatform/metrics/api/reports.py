"""The weeks as they were reported: what was counted, what it asks for, and what became of what was asked before."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from kpplatform.metrics import queries
from kpplatform.metrics.models import WeeklyReport
from kpplatform.metrics.queries.weekly import BY_CODE
from kpplatform.rest.serializers import Asked
from kpplatform.rest.views import ViewSet

PAGED = {"cursor", "limit"}


class ReportsIn(Asked):
    creator = serializers.SlugField(required=False, help_text="Of one alone, by handle.")


class ActionOut(serializers.Serializer[Any]):
    code = serializers.ChoiceField(list(BY_CODE))
    advice = serializers.SerializerMethodField(help_text="In the reader's language.")
    what = serializers.SerializerMethodField(help_text="What is measured, in the reader's language.")
    measured = serializers.FloatField(help_text="A share, in that week.")

    def get_advice(self, action: dict[str, Any]) -> str:
        return str(BY_CODE[action["code"]].advice)

    def get_what(self, action: dict[str, Any]) -> str:
        return str(BY_CODE[action["code"]].measured)


class FollowedOut(ActionOut):
    measured = None  # type: ignore[assignment]
    before = serializers.FloatField(help_text="In the week that asked for it.")
    after = serializers.FloatField(allow_null=True, help_text="In this one; null: too little happened to say.")
    is_better = serializers.BooleanField(allow_null=True)


class WeeklyReportOut(serializers.ModelSerializer[WeeklyReport]):
    creator = serializers.CharField(source="creator.handle", allow_null=True, default=None, help_text="Null: all.")
    figures = serializers.DictField(child=serializers.IntegerField(), help_text="Sums of the week, by metric.")
    before = serializers.DictField(child=serializers.IntegerField(), help_text="Sums of the week before.")
    actions = ActionOut(many=True, help_text="What the week asks for.")
    followed = FollowedOut(many=True, help_text="What the week before asked for, and how it is now.")

    class Meta:
        model = WeeklyReport
        fields = ["id", "creator", "week", "currency", "figures", "before", "actions", "followed", "made_at"]


class WeeklyReportViewSet(ViewSet):
    """A creator reads their own, staff everybody's and the tenant's, in their own language where it is known."""

    serializer_class = WeeklyReportOut
    queryset = WeeklyReport.objects.none()
    lookup_value_converter = "int"

    @extend_schema(parameters=[ReportsIn], responses=WeeklyReportOut(many=True))
    def list(self, request: Request) -> Response:
        """The reports, the latest first."""
        asked = ReportsIn(data={name: request.query_params[name] for name in request.query_params.keys() - PAGED})
        asked.is_valid(raise_exception=True)
        with self.in_their_language():
            return self.page(queries.reports_for(self.viewer, **asked.validated_data), WeeklyReportOut)

    @extend_schema(responses=WeeklyReportOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One of them."""
        found = get_object_or_404(queries.reports_for(self.viewer), pk=pk)
        with self.in_their_language():
            return Response(WeeklyReportOut(found).data)
