"""Which items say nearly the same: for staff."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.models import Item
from kpplatform.rest.views import ViewSet
from recommender import operations, queries
from recommender.api.permissions import RunsTheTenant
from recommender.models import AlikePair


class AlikeIn(serializers.Serializer[Any]):
    item = serializers.IntegerField(required=False, help_text="Only pairs with this one.")
    at_least = serializers.FloatField(required=False, min_value=0, max_value=1, help_text="The cosine.")


class AlikeItemOut(serializers.ModelSerializer[Item]):
    creator = serializers.CharField(source="creator.handle")

    class Meta:
        model = Item
        fields = ["id", "kind", "title", "creator"]


class AlikePairOut(serializers.ModelSerializer[AlikePair]):
    item, other = AlikeItemOut(), AlikeItemOut()

    class Meta:
        model = AlikePair
        fields = ["item", "other", "cosine", "found_at"]


class LookOut(serializers.Serializer[Any]):
    job = serializers.IntegerField(allow_null=True, help_text="None while one is waiting already.")


class AlikePairViewSet(ViewSet):
    """Items whose titles and tags are nearly the same."""

    permission_classes = [RunsTheTenant]

    @extend_schema(parameters=[AlikeIn], responses=AlikePairOut(many=True))
    def list(self, request: Request) -> Response:
        """The pairs, the most alike first."""
        asked = AlikeIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return self.page(queries.alike_items(**asked.validated_data), AlikePairOut)

    @extend_schema(request=None, responses={202: LookOut})
    @action(detail=False, methods=["post"])
    def find(self, request: Request) -> Response:
        """Look for them anew."""
        job = operations.ask_for_duplicates()
        return Response(LookOut({"job": job and job.pk}).data, status=status.HTTP_202_ACCEPTED)
