"""Coins, the gifts they buy, and what creators were given."""

from datetime import timedelta
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing import operations, queries
from billing.api.serializers import RefundOut
from billing.api.views import MoneyViewSet
from billing.models import Giving, Product, VirtualGift
from billing.operations import Said
from catalog.queries import published
from creators.models import Creator
from kpplatform.rest.serializers import Asked, In
from kpplatform.rest.views import SignedIn
from kpplatform.tenancy.models import ApiToken

A_MONTH = timedelta(days=30)


class CoinsOut(serializers.Serializer[Any]):
    coins = serializers.IntegerField(help_text="How many are left.")
    amount = serializers.IntegerField(help_text="What they are worth, in minor units.")
    coin_value = serializers.IntegerField(help_text="What one is worth.")
    currency = serializers.CharField()


class CoinPackIn(In):
    title = serializers.CharField(max_length=200)
    coins = serializers.IntegerField(min_value=1, max_value=10**7)


class CoinPackOut(serializers.ModelSerializer[Product]):
    coins = serializers.SerializerMethodField()

    class Meta:
        model = Product
        fields = ["id", "title", "coins", "amount", "currency"]

    def get_coins(self, pack: Product) -> int:
        return pack.amount // queries.coin_value().minor


class VirtualGiftIn(In):
    name_zh = serializers.CharField(max_length=40)
    name_en = serializers.CharField(max_length=40)
    coins = serializers.IntegerField(min_value=1, max_value=1_000_000)


class VirtualGiftOut(serializers.ModelSerializer[VirtualGift]):
    class Meta:
        model = VirtualGift
        fields = ["id", "name_zh", "name_en", "coins", "withdrawn_at"]


class GivingIn(In):
    gift = serializers.IntegerField()
    item = serializers.IntegerField(required=False, help_text="For this, to its creator.")
    creator = serializers.SlugField(required=False, help_text="Or to a creator, just so, by handle.")
    pieces = serializers.IntegerField(required=False, min_value=1, max_value=999)
    message = serializers.CharField(required=False, max_length=200)
    anonymous = serializers.BooleanField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take one of whom or what it is for."""
        if ("item" in attrs) == ("creator" in attrs):
            raise serializers.ValidationError("Say an item or a creator.", code="one_thing")
        return attrs


class GivingOut(serializers.ModelSerializer[Giving]):
    """Who it came from is told unless they did not want it; words that the reader has muted are left out."""

    viewer = serializers.SerializerMethodField()
    name = serializers.SerializerMethodField()
    message = serializers.SerializerMethodField()
    creator = serializers.CharField(source="creator.handle")
    item = serializers.IntegerField(source="item_id", allow_null=True)
    gift = VirtualGiftOut(allow_null=True)

    class Meta:
        model = Giving
        fields = [
            "id", "viewer", "name", "creator", "item", "gift", "pieces", "coins", "amount", "currency", "message",
            "given_at", "paid_at", "taken_back_at",
        ]  # fmt: skip

    def get_viewer(self, giving: Giving) -> int | None:
        return None if giving.is_anonymous else giving.viewer_id

    def get_name(self, giving: Giving) -> str:
        return "" if giving.is_anonymous else str(giving.viewer)

    def get_message(self, giving: Giving) -> str:
        return "" if getattr(giving, "is_muted", False) else giving.message


class GivingsIn(Asked):
    creator = serializers.CharField(required=False, max_length=40, help_text="What this creator was given, by handle.")


class LeadersIn(Asked):
    creator = serializers.CharField(required=False, max_length=40, help_text="By handle; who asks, if not given.")
    since = serializers.DateTimeField(required=False, help_text="Thirty days ago, if not given.")
    until = serializers.DateTimeField(required=False)


class LeaderOut(serializers.Serializer[Any]):
    viewer = serializers.IntegerField()
    name = serializers.CharField()
    amount = serializers.IntegerField()
    currency = serializers.CharField()
    times = serializers.IntegerField()


class TakenBackIn(In):
    reason = serializers.CharField(max_length=200)


class CoinView(SignedIn):
    """The coins of who asks."""

    write_scope = ApiToken.Scope.MONEY

    @extend_schema(operation_id="coins", responses=CoinsOut)
    def get(self, request: Request) -> Response:
        """How many coins are left, and what they are worth."""
        left, value = queries.coins_of(self.viewer), queries.coin_value()
        counted = {"coins": left.minor // value.minor, "coin_value": value.minor}
        return Response(CoinsOut(counted | {"amount": left.minor, "currency": left.currency}).data)

    @extend_schema(operation_id="coins_return", request=None, responses={201: RefundOut(many=True)})
    def delete(self, request: Request) -> Response:
        """Give back all that is left, as the money that was paid for it."""
        key = request.headers.get("Idempotency-Key") or f"coins:{timezone.now().isoformat()}"
        given = operations.return_coins(viewer=self.viewer, by=self.viewer, key=key, at=timezone.now())
        return Response(RefundOut(given, many=True).data, status=status.HTTP_201_CREATED)


class CoinPackViewSet(MoneyViewSet):
    @extend_schema(responses=CoinPackOut(many=True))
    def list(self, request: Request) -> Response:
        """The packs of coins that are sold; they are bought with an order, as products."""
        return self.page(queries.coin_packs(at=timezone.now()), CoinPackOut)

    @extend_schema(request=CoinPackIn, responses={201: CoinPackOut})
    def create(self, request: Request) -> Response:
        """Sell so many coins at once, for what they are worth: for the tenant's staff."""
        pack = operations.offer_pack(by=self.viewer, at=timezone.now(), **self.sent(CoinPackIn))
        return Response(CoinPackOut(pack).data, status=status.HTTP_201_CREATED)


class VirtualGiftViewSet(MoneyViewSet):
    queryset = VirtualGift.objects.none()
    lookup_value_converter = "int"

    @extend_schema(responses=VirtualGiftOut(many=True))
    def list(self, request: Request) -> Response:
        """What can be given for coins."""
        return self.page(queries.virtual_gifts(at=timezone.now()), VirtualGiftOut)

    @extend_schema(request=VirtualGiftIn, responses={201: VirtualGiftOut})
    def create(self, request: Request) -> Response:
        """Put a gift into the catalogue: for the tenant's staff."""
        gift = operations.make_gift(by=self.viewer, at=timezone.now(), **self.sent(VirtualGiftIn))
        return Response(VirtualGiftOut(gift).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=VirtualGiftOut)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: int) -> Response:
        """Let it be given no longer: for the tenant's staff."""
        gift = get_object_or_404(VirtualGift, pk=pk)
        return Response(VirtualGiftOut(operations.withdraw_gift(gift=gift, by=self.viewer, at=timezone.now())).data)


class GivingViewSet(MoneyViewSet):
    queryset = Giving.objects.none()
    lookup_value_converter = "int"

    @extend_schema(parameters=[GivingsIn], responses=GivingOut(many=True))
    def list(self, request: Request) -> Response:
        """What who asks has given, or what a creator was given, newest first."""
        asked = GivingsIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        handle = asked.validated_data.get("creator")
        if handle is None:
            return self.page(queries.givings_of(self.viewer), GivingOut)
        creator = get_object_or_404(Creator, handle=handle)
        return self.page(queries.givings_to(creator, reader=self.viewer), GivingOut)

    @extend_schema(request=GivingIn, responses={201: GivingOut})
    def create(self, request: Request) -> Response:
        """Give a gift for coins, to a creator or for something of theirs; under one Idempotency-Key it is one."""
        now, ask = timezone.now(), self.sent(GivingIn)
        item = get_object_or_404(published(at=now), pk=ask["item"]) if "item" in ask else None
        given = operations.give_gift(
            viewer=self.viewer,
            gift=get_object_or_404(VirtualGift, pk=ask["gift"]),
            creator=item.creator if item else get_object_or_404(Creator, handle=ask["creator"]),
            item=item,
            pieces=ask.get("pieces", 1),
            said=Said(message=ask.get("message", ""), is_anonymous=ask.get("anonymous", False)),
            key=self.key(),
            at=now,
        )
        return Response(GivingOut(given).data, status=status.HTTP_201_CREATED)

    @extend_schema(parameters=[LeadersIn], responses=LeaderOut(many=True), filters=False)
    @action(detail=False, methods=["get"], pagination_class=None)
    def leaders(self, request: Request) -> Response:
        """Who gave a creator most within a period, in their own name; a hundred at most."""
        asked = LeadersIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        ask, now = asked.validated_data, timezone.now()
        until = ask.get("until", now)
        to = {"handle": ask["creator"]} if "creator" in ask else {"member": self.viewer}
        creators = Creator.objects.filter(**to)
        if "creator" in ask:
            get_object_or_404(creators)
        found = queries.leaders(creators, since=ask.get("since", until - A_MONTH), until=until)
        return Response(LeaderOut(found, many=True).data)

    @extend_schema(request=TakenBackIn, responses=GivingOut)
    @action(detail=True, methods=["post"], url_path="take-back")
    def take_back(self, request: Request, pk: int) -> Response:
        """Give the coins of a gift back to who gave it, with a reason: for the tenant's staff."""
        giving = get_object_or_404(Giving if self.viewer.runs_the_tenant else queries.givings_of(self.viewer), pk=pk)
        reason = self.sent(TakenBackIn)["reason"]
        operations.take_back_gift(giving=giving, by=self.viewer, reason=reason, at=timezone.now())
        return Response(GivingOut(queries.givings_of(giving.viewer).get(pk=pk)).data)
