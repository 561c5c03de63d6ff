"""Who and what is seen in the feed: for the tenant's staff."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from kpplatform.rest.serializers import Asked
from kpplatform.rest.views import SignedIn
from recommender import queries
from recommender.api.permissions import RunsTheTenant


class ExposureIn(Asked):
    days = serializers.IntegerField(default=7, min_value=1, max_value=90)


class ExposedOut(serializers.Serializer[Any]):
    day = serializers.DateField(help_text="UTC.")
    places = serializers.IntegerField()
    explored = serializers.FloatField(help_text="Share of places by exploration and trials.")
    new_creators = serializers.FloatField(help_text="Share of places for creators of the last 30 days.")
    small_creators = serializers.FloatField(help_text="Share of places for creators with few followers.")
    topic_bits = serializers.FloatField(help_text="Entropy of topics over all places.")
    topics_a_page = serializers.FloatField()
    items = serializers.IntegerField(help_text="Shown at all.")
    gini = serializers.FloatField(help_text="Of exposures over all items on show: 0 alike, 1 all of one.")


class ExposureOut(serializers.Serializer[Any]):
    results = ExposedOut(many=True)


class ExposureView(SignedIn, APIView):
    """How the places of the feed are shared out."""

    permission_classes = [RunsTheTenant]

    @extend_schema(operation_id="exposure", parameters=[ExposureIn], responses=ExposureOut)
    def get(self, request: Request) -> Response:
        """Exploration, new and small creators, topics and inequality, day by day."""
        asked = ExposureIn(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        small = queries.feed_settings().small_followers
        told = queries.exposure(**asked.validated_data, at=timezone.now(), small_followers=small)
        return Response(ExposureOut({"results": [day._asdict() for day in told]}).data)
