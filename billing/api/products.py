"""Offer bundles, rentals and e-books; see what is offered."""

from typing import Any, cast

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing import operations, queries
from billing.api.tried import TriedOut
from billing.api.views import MoneyViewSet
from billing.models import Content, OfferChange, Product
from billing.money import Money
from billing.operations.prices import MOST
from billing.operations.products import LONGEST_RENTAL_HOURS, MOST_CONTENTS, Filling
from catalog.models import Item
from creators.models import Creator
from creators.queries import creator_of
from kpplatform.rest.serializers import Asked, In
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant

MADE_HERE = [kind for kind in Product.Kind.choices if kind[0] in {"bundle", "rental", "ebook"}]


class ContentIn(In):
    item = serializers.IntegerField()
    hours = serializers.IntegerField(
        required=False, min_value=1, max_value=LONGEST_RENTAL_HOURS, help_text="Of a rental, from the payment on."
    )


class OfferIn(In):
    title = serializers.CharField(max_length=200)
    description = serializers.CharField(max_length=5_000, allow_blank=True, required=False)
    amount = serializers.IntegerField(min_value=1, max_value=MOST, help_text="In minor units, tax included.")
    currency = serializers.CharField(required=False, max_length=3, help_text="The tenant's, if not given.")
    is_open = serializers.BooleanField(required=False, help_text="The buyer may pay more.")


class ProductIn(OfferIn):
    kind = serializers.ChoiceField(MADE_HERE)
    creator = serializers.SlugField(required=False, help_text="Whose it is; of who asks, or the tenant's own.")
    contents = serializers.ListField(child=ContentIn(), required=False, max_length=MOST_CONTENTS)


class ProductsIn(Asked):
    kind = serializers.ChoiceField(Product.Kind.choices, required=False)
    creator = serializers.SlugField(required=False)


class ContentOut(serializers.ModelSerializer[Content]):
    item = serializers.IntegerField(source="item_id")

    class Meta:
        model = Content
        fields = ["item", "hours"]


class ProductOut(TriedOut):
    creator = serializers.CharField(source="creator.handle", default=None, allow_null=True)
    contents = ContentOut(many=True)

    class Meta:
        model = Product
        fields = [
            *("id", "kind", "creator", "title", "description", "amount", "list_amount", "is_tried"),
            *("currency", "is_open"),
            *("contents", "made_at", "withdrawn_at"),
        ]


class OfferChangeOut(serializers.ModelSerializer[OfferChange]):
    by = serializers.CharField(source="by.name")
    before = serializers.DictField()
    after = serializers.DictField()

    class Meta:
        model = OfferChange
        fields = ["id", "by", "before", "after", "changed_at"]


class ProductViewSet(MoneyViewSet):
    lookup_value_converter = "int"

    def product(self, pk: int) -> Product:
        return get_object_or_404(queries.products_seen_by(self.viewer, at=timezone.now()), pk=pk)

    @extend_schema(parameters=[ProductsIn], responses=ProductOut(many=True))
    def list(self, request: Request) -> Response:
        """What is sold beside single items, newest first; to its creator and to staff also what was withdrawn."""
        asked = ProductsIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = queries.products_seen_by(self.viewer, at=timezone.now(), **asked.validated_data)
        return self.page_of_prices(found, ProductOut)

    @extend_schema(responses=ProductOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One of them."""
        return self.priced(self.product(pk), ProductOut)

    @extend_schema(request=ProductIn, responses={201: ProductOut})
    def create(self, request: Request) -> Response:
        """Offer several items at once, or one for some hours: its creator, or the tenant's staff."""
        ask = self.sent(ProductIn)
        made = operations.make_product(
            by=self.viewer,
            creator=seller_of(self.viewer, ask.pop("creator", None)),
            contents=self.fillings(ask.pop("contents", [])),
            at=timezone.now(),
            **self.offer(ask),
        )
        return self.priced(self.product(made.pk), ProductOut, status.HTTP_201_CREATED)

    @extend_schema(request=OfferIn, responses=ProductOut)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Change what it says or costs. What it opens stays: offer another one instead."""
        ask = self.offer(self.sent(OfferIn, partial=True))
        operations.revise_product(product=self.product(pk), by=self.viewer, at=timezone.now(), **ask)
        return self.priced(self.product(pk), ProductOut)

    @extend_schema(request=None, responses=ProductOut)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: int) -> Response:
        """Sell it no longer. Who has bought it keeps it."""
        operations.withdraw_product(product=self.product(pk), by=self.viewer, at=timezone.now())
        withdrawn = Product.objects.select_related("creator").prefetch_related("contents").get(pk=pk)
        return self.priced(withdrawn, ProductOut)

    @extend_schema(responses=OfferChangeOut(many=True))
    @action(detail=True, methods=["get"])
    def changes(self, request: Request, pk: int) -> Response:
        """Who changed what of it, the latest first: for its creator and staff."""
        product = self.product(pk)
        operations.must_sell(product.creator, self.viewer)
        return self.page(queries.changes_of(product), OfferChangeOut)

    def fillings(self, asked: Any) -> Any:
        items = Item.objects.in_bulk([of["item"] for of in asked])
        missing = [of["item"] for of in asked if of["item"] not in items]
        if missing:
            get_object_or_404(Item, pk=missing[0])
        return [Filling(items[of["item"]], of.get("hours")) for of in asked]

    def offer(self, ask: dict[str, Any]) -> Any:
        """Return what is said of a product, its price as money."""
        currency = ask.pop("currency", current_tenant().currency)
        if "amount" in ask:
            ask["amount"] = priced(ask["amount"], currency)
        return cast("Any", ask)


def seller_of(viewer: Member, handle: str | None) -> Creator | None:
    """Return in whose name the viewer sells: the creator that they say or are, else the tenant."""
    return get_object_or_404(Creator, handle=handle) if handle else creator_of(viewer)


def priced(minor: int, currency: str) -> Money:
    """Return an amount that was sent. Raises WrongCurrency for what is none, or not the tenant's."""
    if currency != current_tenant().currency:
        raise operations.WrongCurrency(f"Things are sold in {current_tenant().currency} here, not in {currency}.")
    return Money(minor, currency)
