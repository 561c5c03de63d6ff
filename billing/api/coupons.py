"""Make coupons, see how often they were used, withdraw them."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing import operations, queries
from billing.api.products import priced, seller_of
from billing.api.views import MoneyViewSet
from billing.models import Coupon, Product
from billing.money import WHOLE_BPS
from billing.operations.prices import MOST
from catalog.models import Item
from kpplatform.rest.serializers import In
from kpplatform.tenancy.scope import current_tenant

MOST_USES = 2**31 - 1


class CouponIn(In):
    code = serializers.CharField(max_length=40, required=False, help_text="Made up, if not given.")
    creator = serializers.SlugField(required=False, help_text="For whose things; of who asks, or for all.")
    item = serializers.IntegerField(required=False, help_text="Only for this item.")
    product = serializers.IntegerField(required=False, help_text="Only for this product.")
    bps = serializers.IntegerField(
        min_value=1, max_value=WHOLE_BPS, required=False, help_text="Off the price, in hundredths of a percent."
    )
    amount = serializers.IntegerField(min_value=1, max_value=MOST, required=False, help_text="Off the order.")
    most_uses = serializers.IntegerField(min_value=1, max_value=MOST_USES, required=False)
    most_each = serializers.IntegerField(
        min_value=1, max_value=MOST_USES, required=False, help_text="How often one buyer may use it."
    )
    is_personal = serializers.BooleanField(default=False, help_text="Only for those to whom a campaign sends it.")
    starts_at = serializers.DateTimeField(required=False)
    ends_at = serializers.DateTimeField(required=False)


class CouponOut(serializers.ModelSerializer[Coupon]):
    creator = serializers.CharField(source="creator.handle", default=None, allow_null=True)
    item = serializers.IntegerField(source="item_id", allow_null=True)
    product = serializers.IntegerField(source="product_id", allow_null=True)

    class Meta:
        model = Coupon
        fields = [
            *("id", "code", "creator", "item", "product", "bps", "amount", "currency", "uses", "most_uses"),
            *("most_each", "is_personal", "starts_at", "ends_at", "made_at", "withdrawn_at"),
        ]


class CouponViewSet(MoneyViewSet):
    lookup_value_converter = "int"

    def coupon(self, pk: int) -> Coupon:
        return get_object_or_404(queries.coupons_of(self.viewer), pk=pk)

    @extend_schema(responses=CouponOut(many=True))
    def list(self, request: Request) -> Response:
        """The coupons of the creator who asks, newest first; staff see the tenant's."""
        return self.page(queries.coupons_of(self.viewer), CouponOut)

    @extend_schema(responses=CouponOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One of them."""
        return Response(CouponOut(self.coupon(pk)).data)

    @extend_schema(request=CouponIn, responses={201: CouponOut})
    def create(self, request: Request) -> Response:
        """Take a share (`bps`) or an `amount` off: a creator for their own things, staff for all."""
        ask: dict[str, Any] = self.sent(CouponIn)
        if "amount" in ask:
            ask["amount"] = priced(ask["amount"], current_tenant().currency)
        for name, model in (("item", Item), ("product", Product)):
            if name in ask:
                ask[name] = get_object_or_404(model, pk=ask[name])
        creator = seller_of(self.viewer, ask.pop("creator", None))
        made = operations.make_coupon(by=self.viewer, creator=creator, at=timezone.now(), **ask)
        return Response(CouponOut(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=CouponOut)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: int) -> Response:
        """Take it no longer. Orders placed with it keep their price."""
        withdrawn = operations.withdraw_coupon(coupon=self.coupon(pk), by=self.viewer, at=timezone.now())
        return Response(CouponOut(withdrawn).data)
