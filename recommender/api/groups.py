"""Groups of viewers: try rules, keep them under a name, see what there is."""

from typing import Any

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
from recommender.models import ViewerGroup
from recommender.operations.groups import MOST_RULES

RULES = (
    "All of them hold: {kind: watched, topic, times, days}, {kind: paid, is_so}, {kind: unseen, days}, "
    "{kind: follows, creator}, {kind: may_leave, least}, {kind: segment, label}."
)


class RulesIn(In):
    rules = serializers.ListField(child=serializers.DictField(), min_length=1, max_length=MOST_RULES, help_text=RULES)


class GroupIn(RulesIn):
    name = serializers.SlugField(max_length=60)


class CountOut(serializers.Serializer[Any]):
    at_least = serializers.IntegerField(help_text="Viewers, rounded down to a multiple of the fewest that are told of.")


class GroupOut(serializers.ModelSerializer[ViewerGroup]):
    made_by = serializers.CharField(source="made_by.name")

    class Meta:
        model = ViewerGroup
        fields = ["id", "name", "rules", "at_least", "made_by", "made_at"]


class ViewerGroupViewSet(ViewSet):
    """Whom staff want to tell something, by what they watch and whether they pay or stay away."""

    permission_classes = [RunsTheTenant]
    serializer_class = GroupOut
    queryset = ViewerGroup.objects.none()
    lookup_value_converter = "int"

    @extend_schema(responses=GroupOut(many=True))
    def list(self, request: Request) -> Response:
        """The groups, newest first."""
        return self.page(queries.groups(), GroupOut)

    @extend_schema(responses=GroupOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One of them."""
        return Response(GroupOut(get_object_or_404(queries.groups(), pk=pk)).data)

    @extend_schema(request=GroupIn, responses={201: GroupOut})
    def create(self, request: Request) -> Response:
        """Keep rules under a name; who belongs is asked anew whenever a campaign begins."""
        made = operations.make_group(**self.sent(GroupIn), by=self.viewer, at=timezone.now())
        return Response(GroupOut(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=RulesIn, responses=CountOut)
    @action(detail=False, methods=["post"])
    def count(self, request: Request) -> Response:
        """How many viewers the rules hold of, before they are kept."""
        found = operations.count_group(**self.sent(RulesIn), by=self.viewer, at=timezone.now())
        return Response({"at_least": found})
