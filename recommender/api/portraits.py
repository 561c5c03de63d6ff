"""Portraits: a viewer's own, all of them for staff; segments, and what goes together."""

from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog import queries as catalog
from kpplatform.rest.serializers import Asked
from kpplatform.rest.views import SignedIn, ViewSet
from recommender import operations, queries
from recommender.api.permissions import RunsTheTenant
from recommender.models import Portrait, PortraitRun, PropensityReport, Segment


class Pairs(serializers.ListField):
    """[[what, how much] …], the strongest first."""

    child = serializers.ListField(child=serializers.JSONField(), min_length=2, max_length=2)


class SegmentOut(serializers.ModelSerializer[Segment]):
    about = serializers.ListField(
        child=serializers.ListField(child=serializers.JSONField()),
        help_text="[[dimension, its share, times the usual] …]",
    )

    class Meta:
        model = Segment
        fields = ["label", "size", "about"]


class PortraitOut(serializers.ModelSerializer[Portrait]):
    viewer = serializers.IntegerField(source="viewer_id")
    segment = serializers.IntegerField(source="segment.label", allow_null=True, default=None)
    interests, next_topics, next_items, next_hours = Pairs(), Pairs(), Pairs(), Pairs()
    active_hours = serializers.ListField(child=serializers.FloatField(), help_text="24 shares, from midnight.")

    class Meta:
        model = Portrait
        fields = [
            "id",
            "viewer",
            "segment",
            "interests",
            "active_hours",
            "next_topics",
            "next_items",
            "next_hours",
            "events",
            "first_seen_at",
            "last_seen_at",
            "churn",
            "purchase",
            "updated_at",
        ]


class PortraitDetailOut(PortraitOut):
    vector = serializers.SerializerMethodField(help_text="Latent, of length 1.")

    class Meta(PortraitOut.Meta):
        fields = [*PortraitOut.Meta.fields, "vector"]

    def get_vector(self, portrait: Portrait) -> list[float]:
        vector: list[float] = queries.vector_of(portrait).tolist()
        return vector


class OwnPortraitOut(serializers.Serializer[Any]):
    portrait = PortraitDetailOut(allow_null=True, help_text="Null while there is none, or none is wanted.")
    refused_at = serializers.DateTimeField(allow_null=True, help_text="Since when none is wanted.")


class FitOut(serializers.Serializer[Any]):
    fit = serializers.FloatField(help_text="p · f, with the viewer's interests as shares.")
    terms = Pairs(help_text="Its terms, the largest first.")


class NearIn(Asked):
    most = serializers.IntegerField(default=10, min_value=1, max_value=100)


class NearOut(serializers.Serializer[Any]):
    cosine = serializers.FloatField()
    portrait = PortraitOut()


class NearestOut(serializers.Serializer[Any]):
    results = NearOut(many=True)


class PortraitRunOut(serializers.ModelSerializer[PortraitRun]):
    class Meta:
        model = PortraitRun
        fields = [
            "at",
            "finished_at",
            "viewers",
            "dimensions",
            "half_life_days",
            "silhouette",
            "reason",
            "rules",
            "foretold",
            "demand",
            "quality",
        ]


class PropensityReportOut(serializers.ModelSerializer[PropensityReport]):
    class Meta:
        model = PropensityReport
        fields = ["outcome", "days", "reason", "auc", "brier", "ece", "base_rate", "judged", "bins", "weights"]


class PortraitReportOut(serializers.Serializer[Any]):
    refreshed_at = serializers.DateTimeField(allow_null=True)
    is_stale = serializers.BooleanField()
    run = PortraitRunOut(allow_null=True)
    propensity = PropensityReportOut(many=True)


class PortraitJobOut(serializers.Serializer[Any]):
    job = serializers.IntegerField(allow_null=True, help_text="None while one is waiting already.")


class OwnPortraitView(SignedIn, APIView):
    """What is known of who asks."""

    @extend_schema(operation_id="own_portrait", responses=OwnPortraitOut)
    def get(self, request: Request) -> Response:
        """The viewer's own portrait."""
        told = {"portrait": queries.portrait_of(self.viewer), "refused_at": queries.refused_at(self.viewer)}
        return Response(OwnPortraitOut(told).data)

    @extend_schema(operation_id="allow_portrait", request=None, responses={204: None})
    def put(self, request: Request) -> Response:
        """Be drawn again, from the next refresh on."""
        operations.allow_portrait(viewer=self.viewer)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(operation_id="refuse_portrait", request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        """Delete it, and be drawn and counted no more."""
        operations.refuse_portrait(viewer=self.viewer, at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class FitView(SignedIn, APIView):
    """How far an item is what the viewer likes."""

    @extend_schema(operation_id="fit", responses=FitOut)
    def get(self, request: Request, id: int) -> Response:  # noqa: A002  the path's name
        """The terms of p · f: what the viewer's own portrait and the item have in common."""
        item = get_object_or_404(catalog.visible_to(self.viewer, at=timezone.now()), pk=id)
        terms = queries.fit(self.viewer, item)
        return Response(FitOut({"fit": round(sum(term for _name, term in terms), 4), "terms": terms}).data)


class PortraitViewSet(ViewSet):
    """All portraits of the tenant, for its staff."""

    permission_classes = [RunsTheTenant]
    serializer_class = PortraitOut
    queryset = Portrait.objects.none()
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Portrait]:
        return queries.portraits()

    @extend_schema(responses=PortraitOut(many=True))
    def list(self, request: Request) -> Response:
        """The portraits, newest first."""
        return self.page(queries.portraits(), PortraitOut)

    @extend_schema(responses=PortraitDetailOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One of them, with its vector."""
        return Response(PortraitDetailOut(get_object_or_404(queries.portraits(), pk=pk)).data)

    @extend_schema(parameters=[NearIn], responses=NearestOut)
    @action(detail=True, methods=["get"], pagination_class=None)
    def nearest(self, request: Request, pk: int) -> Response:
        """The viewers who like the same."""
        asked = NearIn(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        portrait = get_object_or_404(queries.portraits(), pk=pk)
        near = queries.nearest_to(portrait, most=asked.validated_data["most"])
        results = [{"cosine": round(cosine, 4), "portrait": of} for of, cosine in near]
        return Response(NearestOut({"results": results}).data)

    @extend_schema(responses=PortraitReportOut)
    @action(detail=False, methods=["get"], pagination_class=None)
    def report(self, request: Request) -> Response:
        """The last refresh: whether it is old, and how good what was foretold would have been."""
        run = queries.newest_run()
        reports = queries.propensity_reports().filter(run=run) if run else []
        fresh = asdict(queries.freshness(at=timezone.now()))
        return Response(PortraitReportOut(fresh | {"run": run, "propensity": reports}).data)

    @extend_schema(request=None, responses={202: PortraitJobOut})
    @action(detail=False, methods=["post"])
    def refresh(self, request: Request) -> Response:
        """Ask for a refresh, by a worker and soon."""
        job = operations.ask_for_portraits()
        return Response({"job": job.pk if job else None}, status=status.HTTP_202_ACCEPTED)

    @extend_schema(request=None, responses={202: PortraitJobOut})
    @action(detail=False, methods=["post"])
    def export(self, request: Request) -> Response:
        """Have P and F written as Parquet into the tenant's folder `exports/portraits`."""
        job = operations.ask_for_export()
        return Response({"job": job.pk if job else None}, status=status.HTTP_202_ACCEPTED)


class SegmentViewSet(ViewSet):
    """The groups of viewers, for the tenant's staff."""

    permission_classes = [RunsTheTenant]

    @extend_schema(responses=SegmentOut(many=True))
    def list(self, request: Request) -> Response:
        """The segments as they are now, by label."""
        return self.page(queries.segments(), SegmentOut)
