"""A creator's audience, what they might make next, and what goes together: counts of many, never a viewer."""

from collections.abc import Mapping
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.models import Item
from creators import queries as creators
from kpplatform.rest.serializers import Asked
from kpplatform.rest.views import SignedIn, ViewSet
from recommender import operations
from recommender.ml.portraits.audiences import WINDOWS
from recommender.models import Rule
from recommender.operations.audience import Told


class AudienceIn(Asked):
    days = serializers.ChoiceField(choices=WINDOWS, default=28)


class RulesIn(serializers.Serializer[Any]):
    item = serializers.IntegerField(required=False, min_value=1, max_value=2**62, help_text="What goes with this one?")


class CellOut(serializers.Serializer[Any]):
    name = serializers.CharField()
    viewers = serializers.IntegerField()
    share = serializers.FloatField(help_text="Of the audience.")


class AudienceOut(serializers.Serializer[Any]):
    days = serializers.IntegerField()
    as_of = serializers.DateTimeField()
    k = serializers.IntegerField(help_text="Cells with fewer viewers are left out.")
    epsilon = serializers.FloatField(allow_null=True, help_text="Of the noise; null without.")
    left = serializers.FloatField(allow_null=True, help_text="Of this month's privacy.")
    viewers = serializers.IntegerField()
    topics = CellOut(many=True, help_text="What they like best.")
    hours = CellOut(many=True, help_text="When they are most active, on the tenant's clock.")
    segments = CellOut(many=True)
    visits = CellOut(many=True, help_text="New within these days, or returning.")


class AdviceOut(serializers.Serializer[Any]):
    topic = serializers.CharField()
    viewers = serializers.IntegerField(help_text="Of the audience, who like it best.")
    demand = serializers.FloatField(help_text="Their share of the audience.")
    items = serializers.IntegerField(help_text="On show about it.")
    supply = serializers.FloatField(help_text="Their share of what is on show.")
    own = serializers.IntegerField(help_text="Of them the creator's.")
    gap = serializers.FloatField(help_text="Demand less supply.")
    text = serializers.CharField()


class AdvicesOut(serializers.Serializer[Any]):
    as_of = serializers.DateTimeField()
    days = serializers.IntegerField()
    audience = serializers.IntegerField()
    epsilon = serializers.FloatField(allow_null=True)
    advice = AdviceOut(many=True)


class RuleItemOut(serializers.ModelSerializer[Item]):
    class Meta:
        model = Item
        fields = ["id", "kind", "title"]


class RuleOut(serializers.ModelSerializer[Rule]):
    given, then = RuleItemOut(), RuleItemOut()

    class Meta:
        model = Rule
        fields = ["given", "given_verb", "then", "then_verb", "viewers", "support", "confidence", "lift"]


class AudienceView(SignedIn, APIView):
    """Who watches a creator."""

    @extend_schema(operation_id="audience", parameters=[AudienceIn], responses=AudienceOut)
    def get(self, request: Request, handle: str) -> Response:
        """The creator's viewers, counted: told to the creator and to staff, where enough are alike."""
        asked = AudienceIn(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        creator = get_object_or_404(creators.creators(), handle=handle)
        told = operations.tell_audience(creator=creator, by=self.viewer, at=timezone.now(), **asked.validated_data)
        return Response(AudienceOut(_out(told)).data)


class AdviceView(SignedIn, APIView):
    """What a creator might make next."""

    @extend_schema(operation_id="advice", responses=AdvicesOut)
    def get(self, request: Request, handle: str) -> Response:
        """Topics of which the audience wants more than there is, with the numbers."""
        creator = get_object_or_404(creators.creators(), handle=handle)
        return Response(AdvicesOut(operations.advise(creator=creator, by=self.viewer, at=timezone.now())).data)


class RuleViewSet(ViewSet):
    """Who likes or buys one thing and another."""

    @extend_schema(parameters=[RulesIn], responses=RuleOut(many=True))
    def list(self, request: Request) -> Response:
        """The rules, the strongest first: all for staff, about their own items for creators."""
        asked = RulesIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return self.page(operations.tell_rules(by=self.viewer, **asked.validated_data), RuleOut)


def _out(told: Told) -> dict[str, Any]:
    cells = {name: _cells(of, told.viewers) for name, of in told.counts.items()}
    return cells | {name: getattr(told, name) for name in ("days", "as_of", "k", "epsilon", "left", "viewers")}


def _cells(counts: Mapping[str, int], viewers: int) -> list[dict[str, Any]]:
    ranked = sorted(counts.items(), key=lambda cell: (-cell[1], cell[0]))
    return [{"name": name, "viewers": count, "share": round(min(count / viewers, 1.0), 4)} for name, count in ranked]
