"""Say what something costs, buy it, pay, give back."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from billing import operations, queries
from billing.api.serializers import (
    OrderIn,
    OrderOut,
    PayIn,
    PaymentOut,
    PriceIn,
    PriceOut,
    PricesIn,
    QuoteIn,
    QuoteOut,
    RefundIn,
    RefundOut,
    RevocationOut,
    RevokeIn,
)
from billing.api.tried import TriedOut, tried_for
from billing.models import Order, OrderLine, Price, Product
from billing.money import Money
from billing.operations import Said, Wanted, instalments
from billing.providers import Buyer, Way
from catalog.models import Item
from catalog.queries import published
from creators.models import Creator
from kpplatform.errors import Invalid
from kpplatform.rest.views import ViewSet
from kpplatform.tenancy.models import ApiToken
from kpplatform.tenancy.scope import current_tenant


class LineNeeded(Invalid):
    code = "line_needed"


class MoneyViewSet(ViewSet):
    """The base of the doors of money: a program needs the scope `money` to write."""

    write_scope = ApiToken.Scope.MONEY

    def key(self) -> str:
        """Return the key under which what is asked is done once."""
        return self.request.headers.get("Idempotency-Key") or uuid4().hex

    def page_of_prices(self, rows: QuerySet[Any], shown: type[TriedOut]) -> Response:
        """Answer with the page that was asked for of what has prices, each as the viewer sees it."""
        found = self.paginate_queryset(rows) or []
        return self.get_paginated_response(shown(found, many=True, context=tried_for(self.viewer, found)).data)

    def priced(self, row: Price | Product, shown: type[TriedOut], code: int = status.HTTP_200_OK) -> Response:
        """Answer with one thing that has a price, as the viewer sees it."""
        return Response(shown(row, context=tried_for(self.viewer, [row])).data, status=code)


class PriceViewSet(MoneyViewSet):
    @extend_schema(parameters=[PricesIn], responses=PriceOut(many=True))
    def list(self, request: Request) -> Response:
        """What things cost now, the latest first."""
        asked = PricesIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return self.page_of_prices(queries.current_prices(at=timezone.now(), **asked.validated_data), PriceOut)

    @extend_schema(request=PriceIn, responses={201: PriceOut})
    def create(self, request: Request) -> Response:
        """Sell an item at this price from now on: its creator, or the tenant's staff."""
        ask = self.sent(PriceIn)
        price = operations.set_price(
            item=get_object_or_404(Item.objects.select_related("creator"), pk=ask["item"]),
            by=self.viewer,
            amount=Money(ask["amount"], ask["currency"]),
            at=timezone.now(),
        )
        return self.priced(price, PriceOut, status.HTTP_201_CREATED)


class OrderViewSet(MoneyViewSet):
    lookup_value_converter = "int"

    def order(self, pk: int) -> Order:
        return get_object_or_404(queries.orders_seen_by(self.viewer), pk=pk)

    @extend_schema(responses=OrderOut(many=True))
    def list(self, request: Request) -> Response:
        """The orders of who asks, newest first."""
        return self.page(queries.orders_of(self.viewer), OrderOut)

    @extend_schema(request=OrderIn, responses={201: OrderOut})
    def create(self, request: Request) -> Response:
        """Order an item, or several things, at their prices of now; under one Idempotency-Key it is one order.

        With `instalments` it is the order of the first part.
        """
        asked, parts = self.asked(OrderIn), self.sent(OrderIn).get("instalments")
        if parts is None:
            order = operations.order_all(key=self.key(), **asked)
        else:
            [wanted] = asked["wanted"]
            told = {"viewer": self.viewer, "key": self.key(), "at": asked["at"]}
            order = instalments.order_in_parts(wanted=wanted, parts=parts, **told)
        return Response(OrderOut(self.order(order.pk)).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=QuoteIn, responses=QuoteOut)
    @action(detail=False, methods=["post"])
    def quote(self, request: Request) -> Response:
        """What it would cost now, line by line; nothing is ordered."""
        lines = operations.quote(**self.asked(QuoteIn))
        summed = {name: sum(getattr(of, name).minor for of in lines) for name in ("price", "discount", "amount")}
        tax, currency = sum(of.parts["tax"].minor for of in lines), lines[0].price.currency
        return Response(QuoteOut({"lines": lines, "tax": tax, "currency": currency, **summed}).data)

    def asked(self, kind: type[QuoteIn]) -> dict[str, Any]:
        """Return who wants to buy what, with which coupon, now."""
        now, ask = timezone.now(), self.sent(kind)
        wanted = [self.wanted(of, now) for of in ask.get("lines", [ask])]
        return {"viewer": self.viewer, "wanted": wanted, "coupon": ask.get("coupon", ""), "at": now}

    def wanted(self, ask: dict[str, Any], at: datetime) -> Wanted:
        amount = Money(ask["amount"], current_tenant().currency) if "amount" in ask else None
        said = Said(ask.get("message", ""), ask.get("anonymous", False), ask.get("intake", {}))
        if "item" in ask:
            return Wanted(item=get_object_or_404(published(at=at), pk=ask["item"]), amount=amount)
        if "product" in ask:
            product = get_object_or_404(Product.objects.select_related("creator"), pk=ask["product"])
            return Wanted(product=product, amount=amount, said=said)
        return Wanted(creator=get_object_or_404(Creator, handle=ask["creator"]), amount=amount, said=said)

    @extend_schema(responses=OrderOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One order: of who asks, or any for the tenant's staff."""
        return Response(OrderOut(self.order(pk)).data)

    @extend_schema(request=PayIn, responses=PaymentOut)
    @action(detail=True, methods=["post"])
    def pay(self, request: Request, pk: int) -> Response:
        """Open the payment provider's page for the order; the buyer pays at `checkout_url`, or by what is `handed`."""
        ask = self.sent(PayIn)
        order = get_object_or_404(queries.orders_of(self.viewer), pk=pk)
        buyer = None
        if "way" in ask:
            ip = BaseThrottle().get_ident(request) or ""
            buyer = Buyer(Way(ask["way"]), ip=ip, openid=ask.get("openid", ""))
        paid = operations.pay(order=order, return_url=ask.get("return_url", ""), buyer=buyer, at=timezone.now())
        return Response(PaymentOut(paid).data)

    @extend_schema(request=RefundIn, responses={201: RefundOut})
    @action(detail=True, methods=["post"])
    def refund(self, request: Request, pk: int) -> Response:
        """Give back what was paid, or a part of it; giving back all of it ends the access."""
        ask, order = self.sent(RefundIn), self.order(pk)
        given = operations.refund(
            line=self.line(order, ask.get("line")),
            by=self.viewer,
            amount=Money(ask["amount"], order.currency) if "amount" in ask else None,
            key=self.key(),
            at=timezone.now(),
        )
        return Response(RefundOut(given).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=RevokeIn, responses={201: RevocationOut})
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: int) -> Response:
        """Take back what a coupon had paid for wholly, with a reason: for the tenant's staff."""
        ask = self.sent(RevokeIn)
        line = self.line(self.order(pk), ask.get("line"))
        revoked = operations.paying.revoke_free(line=line, by=self.viewer, why=ask["why"], at=timezone.now())
        return Response(RevocationOut(revoked).data, status=status.HTTP_201_CREATED)

    def line(self, order: Order, pk: int | None) -> OrderLine:
        lines = OrderLine.objects.filter(order=order).select_related("order__viewer")
        if pk is not None:
            return get_object_or_404(lines, pk=pk)
        if lines.count() > 1:
            raise LineNeeded("This order has several lines; say which one.")
        return lines.get()
