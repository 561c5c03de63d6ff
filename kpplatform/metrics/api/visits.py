"""Telling what was looked at."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.models import Source
from kpplatform.metrics import operations
from kpplatform.metrics.operations import Look
from kpplatform.rest.serializers import In
from kpplatform.rest.views import ViewSet

LARGEST_BATCH = 100


class VisitIn(In):
    event_id = serializers.UUIDField(help_text="Made by the device. Sent again, it is the same visit.")
    creator = serializers.SlugField(max_length=40, required=False, help_text="Whose profile, by handle; or …")
    item = serializers.IntegerField(min_value=1, max_value=2**63 - 1, required=False, help_text="… which item; or …")
    product = serializers.IntegerField(min_value=1, max_value=2**63 - 1, required=False, help_text="… which product.")
    visited_at = serializers.DateTimeField()
    source = serializers.CharField(  # type: ignore[assignment]
        max_length=20, default="", allow_blank=True, help_text=Source.explained()
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if sum(name in attrs for name in ("creator", "item", "product")) != 1:
            raise ValidationError("A visit is of a creator, an item or a product.")
        return attrs


class VisitsIn(In):
    visits = serializers.ListField(child=VisitIn(), min_length=1, max_length=LARGEST_BATCH)


class VisitsOut(serializers.Serializer[Any]):
    stored = serializers.IntegerField(help_text="Visits that are new.")


class VisitViewSet(ViewSet):
    is_keyed = False  # each event has an id of its own

    @extend_schema(request=VisitsIn, responses=VisitsOut)
    def create(self, request: Request) -> Response:
        """Tell which profiles, items and products' pages who asks has looked at; each is stored once.

        What is not there refuses the batch (`unknown_page`), as does a time in the future or more than 30 days ago
        (`impossible_time`). Without the consent of who asks it is stored as nobody's; looks at one's own are not.
        """
        looks = [Look(**told) for told in self.sent(VisitsIn)["visits"]]
        return Response({"stored": operations.record_visits(viewer=self.viewer, looks=looks, at=timezone.now())})
