"""How good a video is, before it is published and with the answer when it is."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog import operations as catalog
from catalog.api.serializers import ItemOut
from catalog.models import Item
from catalog.operations import must_own
from catalog.queries import visible_to
from kpplatform.metrics.queries.quality import WEIGHTS, quality
from kpplatform.rest.views import SignedIn


class QualityPartOut(serializers.Serializer[Any]):
    name = serializers.ChoiceField(list(WEIGHTS))
    weight = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True, help_text="Of the weight, from 0 to 1; null: nothing is known.")
    reason = serializers.CharField(help_text="In the reader's language.")
    todo = serializers.CharField(help_text="What would make it better; nothing where it could not be.")


class QualityOut(serializers.Serializer[Any]):
    score = serializers.IntegerField(help_text="From 0 to 100, of the parts that something is known of.")
    known = serializers.FloatField(help_text="The share of all weights that these have.")
    parts = QualityPartOut(many=True)


class PublishedOut(ItemOut):
    quality = serializers.SerializerMethodField()

    class Meta(ItemOut.Meta):
        fields = [*ItemOut.Meta.fields, "quality"]

    @extend_schema_field(QualityOut)
    def get_quality(self, item: Item) -> Any:
        return QualityOut(quality(item, at=timezone.now())).data


class OfVideo(SignedIn, APIView):
    def video(self, pk: int) -> Item:
        """Return a video that who asks may know of."""
        return get_object_or_404(visible_to(self.viewer, at=timezone.now()), pk=pk, kind=Item.Kind.VIDEO)


class QualityView(OfVideo):
    @extend_schema(operation_id="video_quality", responses=QualityOut)
    def get(self, request: Request, id: int) -> Response:  # noqa: A002
        """How good it is, of which parts, why, and what to do: for its creator and staff, published or not."""
        video = self.video(id)
        must_own(video, self.viewer)
        with self.in_their_language():
            return Response(QualityOut(quality(video, at=timezone.now())).data)


class PublishView(OfVideo):
    @extend_schema(operation_id="videos_publish_create", request=None, responses=PublishedOut)
    def post(self, request: Request, id: int) -> Response:  # noqa: A002
        """Show it to everybody, now, however good it is; the answer tells that too."""
        moved = catalog.publish(item=self.video(id), by=self.viewer, at=timezone.now())
        with self.in_their_language():
            return Response(PublishedOut(moved).data)
