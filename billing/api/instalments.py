"""Sell in monthly parts, and see what one pays so."""

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
from billing.models import InstalmentOffer, InstalmentPart, InstalmentPlan, Product, StateChange
from billing.models.instalments import FEWEST, MOST
from billing.operations import instalments
from catalog.models import Item
from kpplatform.rest.serializers import Asked, In, WhyIn


class InstalmentOfferIn(In):
    item = serializers.IntegerField(required=False)
    product = serializers.IntegerField(required=False)
    parts = serializers.IntegerField(min_value=FEWEST, max_value=MOST, help_text="In how many months it is paid.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take an item, or a product."""
        if ("item" in attrs) == ("product" in attrs):
            raise serializers.ValidationError("Say an item, or a product.", code="item_or_product")
        return attrs


class InstalmentOffersIn(Asked):
    item = serializers.IntegerField(required=False)
    product = serializers.IntegerField(required=False)


class InstalmentOfferOut(serializers.ModelSerializer[InstalmentOffer]):
    item = serializers.IntegerField(source="item_id", allow_null=True)
    product = serializers.IntegerField(source="product_id", allow_null=True)
    creator = serializers.CharField(source="creator.handle", default=None, allow_null=True)

    class Meta:
        model = InstalmentOffer
        fields = ["id", "item", "product", "creator", "parts", "made_at", "withdrawn_at"]


class InstalmentPartOut(serializers.ModelSerializer[InstalmentPart]):
    order = serializers.IntegerField(source="order_id")
    amount = serializers.IntegerField(source="order.amount", help_text="In minor units.")

    class Meta:
        model = InstalmentPart
        fields = ["id", "number", "through", "is_rest", "order", "amount", "due_at", "paid_at", "voided_at"]


class InstalmentPlanOut(serializers.ModelSerializer[InstalmentPlan]):
    viewer = serializers.IntegerField(source="viewer_id")
    item = serializers.IntegerField(source="item_id", allow_null=True)
    product = serializers.IntegerField(source="product_id", allow_null=True)
    creator = serializers.CharField(source="creator.handle", default=None, allow_null=True)
    title = serializers.CharField(source="sold.title")
    method = serializers.IntegerField(source="method_id", allow_null=True)
    parts = InstalmentPartOut(many=True)
    needs_method = serializers.BooleanField(help_text="Parts are to be paid, and there is nothing to charge them to.")

    class Meta:
        model = InstalmentPlan
        fields = [
            *("id", "viewer", "item", "product", "creator", "title", "amount", "currency", "count", "paid", "state"),
            *("method", "needs_method", "failures", "due_at", "placed_at", "began_at", "ended_at", "parts"),
        ]


class InstalmentChangeOut(serializers.ModelSerializer[StateChange]):
    by = serializers.CharField(source="by.name", default=None, allow_null=True)

    class Meta:
        model = StateChange
        fields = ["id", "by", "before", "after", "why", "changed_at"]


class PlanMethodIn(In):
    method = serializers.IntegerField()


class InstalmentOfferViewSet(MoneyViewSet):
    lookup_value_converter = "int"

    @extend_schema(parameters=[InstalmentOffersIn], responses=InstalmentOfferOut(many=True))
    def list(self, request: Request) -> Response:
        """What can be paid in parts, newest first."""
        asked = InstalmentOffersIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return self.page(queries.instalment_offers(**asked.validated_data), InstalmentOfferOut)

    @extend_schema(request=InstalmentOfferIn, responses={201: InstalmentOfferOut})
    def create(self, request: Request) -> Response:
        """Take the price of a course or a bundle in parts too: its creator, or the tenant's staff."""
        ask = self.sent(InstalmentOfferIn)
        kind: Any = Item if "item" in ask else Product
        thing = get_object_or_404(kind.objects.select_related("creator"), pk=ask.get("item", ask.get("product")))
        made = instalments.offer_in_parts(thing=thing, by=self.viewer, parts=ask["parts"], at=timezone.now())
        return Response(InstalmentOfferOut(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=InstalmentOfferOut)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: int) -> Response:
        """Take the price at once only. What was begun goes on."""
        offer = get_object_or_404(InstalmentOffer, pk=pk)
        done = instalments.withdraw_offer(offer=offer, by=self.viewer, at=timezone.now())
        return Response(InstalmentOfferOut(done).data)


class InstalmentPlanViewSet(MoneyViewSet):
    lookup_value_converter = "int"

    def plan(self, pk: int) -> InstalmentPlan:
        return get_object_or_404(queries.plans_seen_by(self.viewer), pk=pk)

    def done(self, pk: int, do: Any, **more: Any) -> Response:
        """Do it to the plan, and answer with how it is then."""
        do(plan=self.plan(pk), by=self.viewer, at=timezone.now(), **more)
        return Response(InstalmentPlanOut(self.plan(pk)).data)

    @extend_schema(responses=InstalmentPlanOut(many=True))
    def list(self, request: Request) -> Response:
        """What who asks pays in parts, newest first."""
        return self.page(queries.plans_of(self.viewer), InstalmentPlanOut)

    @extend_schema(responses=InstalmentPlanOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One of them: of who asks, or any for the tenant's staff."""
        return Response(InstalmentPlanOut(self.plan(pk)).data)

    @extend_schema(request=None, responses=InstalmentPlanOut)
    @action(detail=True, methods=["post"], url_path="pay-rest")
    def pay_rest(self, request: Request, pk: int) -> Response:
        """Have all that is left charged at once."""
        return self.done(pk, instalments.pay_rest)

    @extend_schema(request=PlanMethodIn, responses=InstalmentPlanOut)
    @action(detail=True, methods=["post"], url_path="change-method")
    def change_method(self, request: Request, pk: int) -> Response:
        """Charge another method; what is owed at once."""
        of_member = queries.methods_of(self.plan(pk).viewer)
        method = get_object_or_404(of_member, pk=self.sent(PlanMethodIn)["method"])
        return self.done(pk, instalments.change_method, method=method)

    @extend_schema(request=WhyIn, responses=InstalmentPlanOut)
    @action(detail=True, methods=["post"])
    def forgive(self, request: Request, pk: int) -> Response:
        """Ask for nothing more, and leave it to the buyer: for the tenant's staff."""
        return self.done(pk, instalments.forgive, why=self.sent(WhyIn)["why"])

    @extend_schema(responses=InstalmentChangeOut(many=True))
    @action(detail=True, methods=["get"])
    def changes(self, request: Request, pk: int) -> Response:
        """What became of it, the latest first; by nobody: by time."""
        return self.page(queries.changes_of_plan(self.plan(pk)), InstalmentChangeOut)
