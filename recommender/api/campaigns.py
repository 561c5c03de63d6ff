"""Campaigns: begin one, read whom to reach, see what it brings."""

from dataclasses import fields
from typing import Any

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
from recommender.models import Addressee, Campaign
from recommender.operations.campaigns import Audience, Message


class CampaignIn(In):
    name = serializers.SlugField(max_length=60, help_text="Viewers are dealt by it; another name deals anew.")
    group = serializers.SlugField(
        max_length=60, allow_null=True, default=None, help_text="Only the viewers of one that staff made, by its name."
    )
    segment = serializers.IntegerField(
        min_value=0, max_value=2**31 - 1, allow_null=True, default=None, help_text="The label of one: only its viewers."
    )
    least_churn = serializers.FloatField(
        min_value=0, max_value=1, allow_null=True, default=None, help_text="Only who is as likely to leave."
    )
    message = serializers.CharField(max_length=1_000, help_text="What is sent or offered.")
    message_zh = serializers.CharField(max_length=1_000, default="", allow_blank=True)
    message_en = serializers.CharField(max_length=1_000, default="", allow_blank=True)
    link = serializers.CharField(max_length=200, default="", allow_blank=True, help_text="A page of the site: /…")
    coupon = serializers.CharField(
        max_length=40, default="", allow_blank=True, help_text="The code of a personal one: those who are told get it."
    )
    is_sent_here = serializers.BooleanField(default=False, help_text="The platform tells it, by notices.")
    held_out = serializers.FloatField(min_value=0.01, max_value=0.99, default=0.2, help_text="Who is left in peace.")
    days = serializers.IntegerField(min_value=1, max_value=90, default=14, help_text="For how long it is counted.")


class CampaignOut(serializers.ModelSerializer[Campaign]):
    group = serializers.CharField(source="group.name", allow_null=True, default=None)
    segment = serializers.IntegerField(source="segment.label", allow_null=True, default=None)
    coupon = serializers.CharField(source="coupon.code", allow_null=True, default=None)

    class Meta:
        model = Campaign
        fields = [
            *("id", "name", "group", "segment", "least_churn", "message", "message_zh", "message_en", "link", "coupon"),
            "is_sent_here",
            "held_out",
            "days",
            "reached",
            "spared",
            "begun_at",
            "stopped_at",
        ]


class UpliftOut(serializers.Serializer[Any]):
    viewers = serializers.DictField(child=serializers.IntegerField())
    sample_ratio_p = serializers.FloatField()
    dealt_fairly = serializers.BooleanField()
    means = serializers.DictField(help_text="Of each metric, by group.")
    differences = serializers.DictField(help_text="Of the reached from the held-out, with always-valid bounds.")


class ToReachOut(serializers.ModelSerializer[Addressee]):
    viewer = serializers.IntegerField(source="viewer_id")
    name = serializers.CharField(source="viewer.name")
    language = serializers.CharField(source="viewer.language")

    class Meta:
        model = Addressee
        fields = ["viewer", "name", "language"]


class CampaignViewSet(ViewSet):
    """What is said to some viewers, for the tenant's staff."""

    permission_classes = [RunsTheTenant]
    serializer_class = CampaignOut
    queryset = Campaign.objects.none()
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Campaign]:
        return queries.campaigns()

    def campaign(self, pk: int) -> Campaign:
        return get_object_or_404(queries.campaigns(), pk=pk)

    @extend_schema(responses=CampaignOut(many=True))
    def list(self, request: Request) -> Response:
        """The campaigns, newest first."""
        return self.page(queries.campaigns(), CampaignOut)

    @extend_schema(responses=CampaignOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One of them."""
        return Response(CampaignOut(self.campaign(pk)).data)

    @extend_schema(request=CampaignIn, responses={201: CampaignOut})
    def create(self, request: Request) -> Response:
        """Begin one: those whom it is for are dealt into reached and held out, for good."""
        ask = self.sent(CampaignIn)
        audience = Audience(**{name: ask.pop(name) for name in ("group", "segment", "least_churn")})
        message = Message(**{of.name: ask.pop(of.name) for of in fields(Message)})
        begun = operations.begin_campaign(**ask, audience=audience, message=message, at=timezone.now())
        return Response(CampaignOut(begun).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses=ToReachOut(many=True))
    @action(detail=True, methods=["get"])
    def viewers(self, request: Request, pk: int) -> Response:
        """Whom to reach, page by page, for whatever sends it; nobody who is held out."""
        return self.page(queries.to_reach(self.campaign(pk)), ToReachOut)

    @extend_schema(request=None, responses=CampaignOut)
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: int) -> Response:
        """Tell nobody any more; who was told keeps what they were told, and what it brings is counted on."""
        return Response(CampaignOut(operations.stop_campaign(campaign=self.campaign(pk), at=timezone.now())).data)

    @extend_schema(responses=UpliftOut)
    @action(detail=True, methods=["get"], pagination_class=None)
    def uplift(self, request: Request, pk: int) -> Response:
        """What it brings: what the reached did more than the held-out."""
        return Response(UpliftOut(queries.uplift(self.campaign(pk), at=timezone.now())).data)
