"""Every number of the console, for programs: what it means, and what it was."""

import csv
import io
from datetime import date, timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.queries import tenants_time
from catalog.models import Item
from creators.operations import asked_about
from kpplatform.errors import Invalid, NotFound
from kpplatform.metrics import queries
from kpplatform.metrics.dictionary import Metric, Ratio, Unit
from kpplatform.metrics.queries import METRICS, Figure, Span
from kpplatform.rest.serializers import Asked
from kpplatform.rest.sheets import plain
from kpplatform.rest.views import SignedIn

MOST_DAYS = 400
USUAL = timedelta(days=27)


class UnknownMetric(NotFound):
    code = "unknown_metric"


class BadDays(Invalid):
    code = "bad_days"


class MetricOut(serializers.Serializer[Any]):
    name = serializers.CharField()
    unit = serializers.ChoiceField([str(unit) for unit in Unit])
    definition = serializers.CharField()
    source = serializers.CharField(help_text="The table it is counted in, or which metrics it is made of.")  # type: ignore[assignment]
    part = serializers.CharField(help_text="What its parts are: a source, a kind …; empty: it has none.")
    days_add_up = serializers.SerializerMethodField()

    def get_days_add_up(self, metric: Metric | Ratio) -> bool:
        return isinstance(metric, Metric) and not metric.days_overlap


class FigureIn(Asked):
    since = serializers.DateField(required=False, help_text="The first day; four weeks before the last, if not given.")
    until = serializers.DateField(required=False, help_text="The last day; today, if not given.")
    creator = serializers.SlugField(required=False, help_text="For staff: whose, by handle; else the tenant's.")
    item = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1, help_text="Of one item alone.")
    by_part = serializers.BooleanField(default=False)
    form = serializers.ChoiceField(["json", "csv"], default="json")


class FigureOut(serializers.Serializer[Any]):
    day = serializers.DateField()
    part = serializers.CharField()
    value = serializers.IntegerField()


class SeriesOut(serializers.Serializer[Any]):
    metric = MetricOut()
    since = serializers.DateField()
    until = serializers.DateField()
    figures = FigureOut(many=True, help_text="Days without any are left out.")


class MetricsView(SignedIn):
    @extend_schema(operation_id="metrics", responses=MetricOut(many=True))
    def get(self, request: Request) -> Response:
        """Every metric: its name, its unit, what it means, where it is counted, and what its parts are."""
        return Response(MetricOut(METRICS.values(), many=True).data)


class MetricView(SignedIn):
    @extend_schema(
        operation_id="metric",
        parameters=[FigureIn],
        responses={(200, "application/json"): SeriesOut, (200, "text/csv"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, name: str) -> Any:
        """What a metric was, day by day: the tenant's and anybody's for staff, one's own for a creator."""
        told = FigureIn(data=request.query_params)
        told.is_valid(raise_exception=True)
        ask = told.validated_data
        if (metric := METRICS.get(name)) is None:
            raise UnknownMetric("There is no such metric.")
        until = ask.get("until", tenants_time(timezone.now()).date())
        since = ask.get("since") or until - min(USUAL, until - date.min)
        if not 0 <= (until - since).days < MOST_DAYS:
            raise BadDays(f"A series is of at most {MOST_DAYS} days, the first one first.")
        of = self.span(ask, since, until)
        if isinstance(metric, Ratio):
            figures = queries.ratio(metric, of)
        else:
            figures = queries.series([name], of, by_part=ask["by_part"])[name]
        if ask["form"] == "csv":
            named = {"Content-Disposition": f'attachment; filename="{name}-{since}-{until}.csv"'}
            return HttpResponse(csv_of(figures), content_type="text/csv; charset=utf-8", headers=named)
        return Response(SeriesOut({"metric": metric, "since": since, "until": until, "figures": figures}).data)

    def span(self, ask: dict[str, Any], since: date, until: date) -> Span:
        """Return about whom and about which item is asked."""
        creator = asked_about(by=self.viewer, handle=ask.get("creator"))
        items = Item.objects.filter(creator=creator) if creator else Item.objects.all()
        item = get_object_or_404(items, pk=ask["item"]) if "item" in ask else None
        return Span(since, until, creator, item)


def csv_of(figures: list[Figure]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(Figure._fields)
    # A part may be what somebody's device says.
    writer.writerows(of._replace(part=plain(of.part)) for of in figures)
    return out.getvalue()
