"""Try some prices of a thing, see what came of it, end it, take one of them for good."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing import queries
from billing.api.views import MoneyViewSet
from billing.models import PriceArm, PriceExperiment, Product, StateChange
from billing.money import WHOLE_BPS, Money
from billing.operations import pricing
from billing.operations.price_experiments import FEWEST_PRICES, MOST_PRICES, NAMES
from billing.operations.prices import MOST
from billing.queries.price_results import Answer
from catalog.models import Item
from kpplatform.rest.serializers import In, WhyIn
from kpplatform.tenancy.scope import current_tenant


class PriceExperimentIn(In):
    item = serializers.IntegerField(required=False)
    product = serializers.IntegerField(required=False)
    name = serializers.SlugField(max_length=60, help_text="Viewers are dealt by it; another name deals anew.")
    prices = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=MOST),
        min_length=FEWEST_PRICES,
        max_length=MOST_PRICES,
        help_text="In minor units. The highest is what it costs now.",
    )
    shares = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=WHOLE_BPS),
        required=False,
        max_length=MOST_PRICES,
        help_text="Of viewers, price by price, in hundredths of a percent, 10000 in all; evenly, if not given.",
    )
    ends_at = serializers.DateTimeField(help_text="By then it is over, if nobody ends it before.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take an item, or a product."""
        if ("item" in attrs) == ("product" in attrs):
            raise serializers.ValidationError("Say an item, or a product.", code="item_or_product")
        return attrs


class AdoptIn(In):
    arm = serializers.ChoiceField(list(NAMES))


class PriceArmOut(serializers.ModelSerializer[PriceArm]):
    class Meta:
        model = PriceArm
        fields = ["name", "amount", "share"]


class PriceExperimentOut(serializers.ModelSerializer[PriceExperiment]):
    item = serializers.IntegerField(source="item_id", allow_null=True)
    product = serializers.IntegerField(source="product_id", allow_null=True)
    creator = serializers.CharField(source="creator.handle", default=None, allow_null=True)
    title = serializers.CharField(source="sold.title")
    arms = PriceArmOut(many=True)

    class Meta:
        model = PriceExperiment
        fields = [
            *("id", "name", "item", "product", "creator", "title", "currency", "arms", "state", "began_at", "ends_at"),
            *("ended_at", "adopted"),
        ]


class DifferenceOut(serializers.Serializer[Any]):
    mean = serializers.FloatField()
    low = serializers.FloatField(help_text="The bounds hold however often one looks.")
    high = serializers.FloatField()
    p = serializers.FloatField()


class ArmResultOut(serializers.Serializer[Any]):
    name = serializers.CharField(source="arm.name")
    amount = serializers.IntegerField(source="arm.amount")
    shown = serializers.IntegerField(help_text="Viewers who were shown this price.")
    buyers = serializers.IntegerField(help_text="Those of them who have bought.")
    bought = serializers.FloatField(help_text="Buyers per viewer who was shown it.")
    revenue = serializers.FloatField(source="revenue.mean", help_text="Per viewer who was shown it, in minor units.")
    difference = DifferenceOut(allow_null=True, help_text="Of the revenue from the first one's.")
    answer = serializers.ChoiceField([of.value for of in Answer], allow_null=True, help_text="What may be said of it.")


class PriceResultsOut(serializers.Serializer[Any]):
    sample_ratio_p = serializers.FloatField(help_text="How likely it is that viewers were dealt by the shares.")
    dealt_fairly = serializers.BooleanField()
    arms = ArmResultOut(many=True)


class PriceChangeOut(serializers.ModelSerializer[StateChange]):
    by = serializers.CharField(source="by.name", default=None, allow_null=True)

    class Meta:
        model = StateChange
        fields = ["id", "by", "before", "after", "why", "changed_at"]


class PriceExperimentViewSet(MoneyViewSet):
    lookup_value_converter = "int"

    def experiment(self, pk: int) -> PriceExperiment:
        return get_object_or_404(queries.price_experiments_seen_by(self.viewer), pk=pk)

    def shown(self, pk: int, code: int = status.HTTP_200_OK) -> Response:
        return Response(PriceExperimentOut(self.experiment(pk)).data, status=code)

    @extend_schema(responses=PriceExperimentOut(many=True))
    def list(self, request: Request) -> Response:
        """What the creator who asks tries, newest first; staff see the tenant's."""
        return self.page(queries.price_experiments_seen_by(self.viewer), PriceExperimentOut)

    @extend_schema(responses=PriceExperimentOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One of them."""
        return self.shown(pk)

    @extend_schema(request=PriceExperimentIn, responses={201: PriceExperimentOut})
    def create(self, request: Request) -> Response:
        """Show some viewers lower prices of a thing, dealt by chance alone: its creator, or the tenant's staff."""
        ask = self.sent(PriceExperimentIn)
        kind: Any = Item if "item" in ask else Product
        thing = get_object_or_404(kind.objects.select_related("creator"), pk=ask.get("item", ask.get("product")))
        begun = pricing.try_prices(
            thing=thing,
            by=self.viewer,
            name=ask["name"],
            prices=[Money(minor, current_tenant().currency) for minor in ask["prices"]],
            shares=ask.get("shares", []),
            ends_at=ask["ends_at"],
            at=timezone.now(),
        )
        return self.shown(begun.pk, status.HTTP_201_CREATED)

    @extend_schema(request=WhyIn, responses=PriceExperimentOut)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: int) -> Response:
        """Sell at one price again. Who was shown a lower one still gets it for a day."""
        why = self.sent(WhyIn)["why"]
        pricing.end_price_experiment(experiment=self.experiment(pk), by=self.viewer, why=why, at=timezone.now())
        return self.shown(pk)

    @extend_schema(request=AdoptIn, responses=PriceExperimentOut)
    @action(detail=True, methods=["post"])
    def adopt(self, request: Request, pk: int) -> Response:
        """Sell at this arm's price to everybody from now on."""
        arms = PriceArm.objects.select_related("experiment")
        arm = get_object_or_404(arms, experiment=self.experiment(pk), name=self.sent(AdoptIn)["arm"])
        pricing.adopt_price(arm=arm, by=self.viewer, at=timezone.now())
        return self.shown(pk)

    @extend_schema(responses=PriceResultsOut)
    @action(detail=True, methods=["get"])
    def results(self, request: Request, pk: int) -> Response:
        """What came of it until now; look as often as you like."""
        return Response(PriceResultsOut(queries.price_results(self.experiment(pk))).data)

    @extend_schema(responses=PriceChangeOut(many=True))
    @action(detail=True, methods=["get"])
    def changes(self, request: Request, pk: int) -> Response:
        """What became of it, the latest first; by nobody: by time."""
        return self.page(queries.changes_of_price_experiment(self.experiment(pk)), PriceChangeOut)
