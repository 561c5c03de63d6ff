"""What counts how much as taste: told to the tenant's staff and changed by them."""

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
from recommender.models import RatingMapping
from recommender.models.ratings import WEIGHED


class RatingsOut(serializers.Serializer[Any]):
    watch, ratio, complete = (serializers.FloatField(help_text="0 or more.") for _ in range(3))
    like, share, purchase = (serializers.FloatField(help_text="0 or more.") for _ in range(3))
    skip, dislike = (serializers.FloatField(help_text="0 or less.") for _ in range(2))


class RatingsIn(In, RatingsOut):
    why = serializers.CharField(max_length=200, allow_blank=True, required=False, help_text="Kept with the change.")


class RatingMappingOut(serializers.ModelSerializer[RatingMapping]):
    by = serializers.IntegerField(source="by_id")

    class Meta:
        model = RatingMapping
        fields = ["id", *WEIGHED, "by", "why", "changed_at"]


class RatingsView(SignedIn, APIView):
    """The weight of each thing that viewers do."""

    permission_classes = [RunsTheTenant]

    @extend_schema(operation_id="ratings", responses=RatingsOut)
    def get(self, request: Request) -> Response:
        """What counts how much from the next training on."""
        return Response(RatingsOut(queries.ratings().weights).data)

    @extend_schema(operation_id="change_ratings", request=RatingsIn, responses=RatingsOut)
    def patch(self, request: Request) -> Response:
        """Change some of it; the next training learns by it, and what is served keeps to what it was learned by."""
        changes = self.sent(RatingsIn, partial=True)
        why = changes.pop("why", "")
        changed = operations.change_ratings(changes=changes, by=self.viewer, why=why, at=timezone.now())
        return Response(RatingsOut(changed.weights).data)


class RatingMappingViewSet(ViewSet):
    """Every mapping that ever held."""

    permission_classes = [RunsTheTenant]

    @extend_schema(responses=RatingMappingOut(many=True))
    def list(self, request: Request) -> Response:
        """Who changed what counts, the latest first: a version's recipe names the one it was learned by."""
        return self.page(queries.rating_mappings(), RatingMappingOut)
