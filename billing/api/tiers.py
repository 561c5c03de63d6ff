"""Offer memberships: tiers, and what they cost by the month or the year."""

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing import operations, queries
from billing.api.products import priced
from billing.api.views import MoneyViewSet
from billing.models import Plan, Tier
from billing.operations.prices import MOST
from billing.operations.products import MOST_CONTENTS
from billing.operations.tiers import LONGEST_TRIAL_DAYS
from catalog.models import Item
from creators.models import Creator
from creators.queries import creator_of
from kpplatform.rest.serializers import Asked, In
from kpplatform.tenancy.scope import current_tenant


class TierIn(In):
    title = serializers.CharField(max_length=200)
    description = serializers.CharField(max_length=5_000, allow_blank=True, required=False)
    creator = serializers.SlugField(required=False, help_text="Whose it is; of who asks, or the tenant's own.")
    opens_all = serializers.BooleanField(required=False, help_text="All courses, those made later too.")
    items = serializers.ListField(child=serializers.IntegerField(), required=False, max_length=MOST_CONTENTS)


class TiersIn(Asked):
    creator = serializers.SlugField(required=False)


class PlanIn(In):
    interval = serializers.ChoiceField(Plan.Interval.choices)
    amount = serializers.IntegerField(min_value=1, max_value=MOST, help_text="Of a period; minor units, tax included.")
    currency = serializers.CharField(required=False, max_length=3, help_text="The tenant's, if not given.")
    trial_days = serializers.IntegerField(required=False, min_value=0, max_value=LONGEST_TRIAL_DAYS)


class PlanOut(serializers.ModelSerializer[Plan]):
    product = serializers.IntegerField(source="product_id")
    amount = serializers.IntegerField(source="product.amount")
    currency = serializers.CharField(source="product.currency")

    class Meta:
        model = Plan
        fields = ["id", "product", "interval", "trial_days", "amount", "currency"]


class TierOut(serializers.ModelSerializer[Tier]):
    creator = serializers.CharField(source="creator.handle", default=None, allow_null=True)
    items = serializers.SerializerMethodField()
    plans = PlanOut(many=True)

    class Meta:
        model = Tier
        fields = ["id", "creator", "title", "description", "opens_all", "items", "plans", "made_at", "withdrawn_at"]

    def get_items(self, tier: Tier) -> list[int]:
        return [listed.item_id for listed in tier.items.all()]


class TierViewSet(MoneyViewSet):
    lookup_value_converter = "int"

    def tier(self, pk: int) -> Tier:
        return get_object_or_404(queries.tiers_seen_by(self.viewer, at=timezone.now()), pk=pk)

    @extend_schema(parameters=[TiersIn], responses=TierOut(many=True))
    def list(self, request: Request) -> Response:
        """The memberships that can be joined, newest first, with what they cost."""
        asked = TiersIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return self.page(queries.tiers_seen_by(self.viewer, at=timezone.now(), **asked.validated_data), TierOut)

    @extend_schema(responses=TierOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One of them."""
        return Response(TierOut(self.tier(pk)).data)

    @extend_schema(request=TierIn, responses={201: TierOut})
    def create(self, request: Request) -> Response:
        """Offer membership of a creator, or of the tenant: to all courses, or to these items."""
        ask = self.sent(TierIn)
        handle, pks = ask.pop("creator", None), ask.pop("items", [])
        creator = get_object_or_404(Creator, handle=handle) if handle else creator_of(self.viewer)
        found = Item.objects.in_bulk(pks)
        if missing := [pk for pk in pks if pk not in found]:
            get_object_or_404(Item, pk=missing[0])
        made = operations.make_tier(
            by=self.viewer, creator=creator, items=list(found.values()), at=timezone.now(), **ask
        )
        return Response(TierOut(self.tier(made.pk)).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=PlanIn, responses={201: TierOut})
    @action(detail=True, methods=["post"])
    def plans(self, request: Request, pk: int) -> Response:
        """Sell it by the month or by the year, after so many free days."""
        ask = self.sent(PlanIn)
        amount = priced(ask.pop("amount"), ask.pop("currency", current_tenant().currency))
        operations.add_plan(tier=self.tier(pk), by=self.viewer, amount=amount, at=timezone.now(), **ask)
        return Response(TierOut(self.tier(pk)).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=TierOut)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: int) -> Response:
        """Let nobody join any longer. Who is a member stays one."""
        operations.withdraw_tier(tier=self.tier(pk), by=self.viewer, at=timezone.now())
        return Response(TierOut(self.tier(pk)).data)
