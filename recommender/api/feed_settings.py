"""How the tenant's feed is put together: told to its staff and changed by them."""

from dataclasses import asdict
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from kpplatform.rest.serializers import In
from kpplatform.rest.views import SignedIn, ViewSet
from recommender import operations, queries
from recommender.api.permissions import RunsTheTenant
from recommender.ml.feed_settings import METHODS
from recommender.models import FeedSettingsChange


class FeedSettingsOut(serializers.Serializer[Any]):
    personal, similar, cold, interests = (serializers.FloatField(help_text="Of a page.") for _ in range(4))
    followed, social, popular = (serializers.FloatField(help_text="Of a page.") for _ in range(3))
    fresh, explored = (serializers.FloatField(help_text="Of a page.") for _ in range(2))
    model_weights = serializers.DictField(child=serializers.FloatField(), help_text="Within `personal`, by name.")
    per_creator = serializers.IntegerField(help_text="Items on a page.")
    per_topic = serializers.FloatField(help_text="Of a page.")
    new_topics = serializers.IntegerField(help_text="On a page, that the viewer has not met.")
    method = serializers.ChoiceField(choices=METHODS)
    diversity = serializers.FloatField(help_text="How much being unlike the rest of the page counts.")
    small_floor = serializers.FloatField(help_text="Of all places, for small creators.")
    small_followers = serializers.IntegerField(help_text="A creator with fewer is small.")
    alike = serializers.FloatField(help_text="Cosine of texts from which two items are the same.")


class FeedSettingsIn(In, FeedSettingsOut):
    why = serializers.CharField(max_length=200, allow_blank=True, required=False, help_text="Kept with the change.")


class FeedSettingsChangeOut(serializers.ModelSerializer[FeedSettingsChange]):
    by = serializers.IntegerField(source="by_id")

    class Meta:
        model = FeedSettingsChange
        fields = ["id", "by", "before", "after", "why", "changed_at"]


class FeedSettingsView(SignedIn, APIView):
    """Sources and their shares, caps, diversity, floors."""

    permission_classes = [RunsTheTenant]

    @extend_schema(operation_id="feed_settings", responses=FeedSettingsOut)
    def get(self, request: Request) -> Response:
        """How the feed is put together."""
        return Response(FeedSettingsOut(asdict(queries.feed_settings())).data)

    @extend_schema(operation_id="change_feed_settings", request=FeedSettingsIn, responses=FeedSettingsOut)
    def patch(self, request: Request) -> Response:
        """Change some of it; every web process follows within a second."""
        changes = self.sent(FeedSettingsIn, partial=True)
        why = changes.pop("why", "")
        changed = operations.change_feed_settings(changes=changes, by=self.viewer, why=why, at=timezone.now())
        return Response(FeedSettingsOut(asdict(changed.plain)).data)


class FeedSettingsChangeViewSet(ViewSet):
    """The journal of changes."""

    permission_classes = [RunsTheTenant]

    @extend_schema(responses=FeedSettingsChangeOut(many=True))
    def list(self, request: Request) -> Response:
        """Who changed what, the latest first."""
        return self.page(queries.feed_settings_changes(), FeedSettingsChangeOut)
