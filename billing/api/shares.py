"""Share with who works on something and with who brings buyers; see one's parts."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing import operations, queries
from billing.api.views import MoneyViewSet
from billing.models import Affiliate, AffiliateTerms, Collaboration, LineShare, Product, Referral
from billing.money import WHOLE_BPS
from catalog.models import Item
from creators.models import Creator
from creators.operations import publisher
from kpplatform.rest.serializers import In


class CollaborationIn(In):
    item = serializers.IntegerField(required=False)
    product = serializers.IntegerField(required=False)
    creator = serializers.SlugField(help_text="Who is offered a part.")
    bps = serializers.IntegerField(min_value=1, max_value=WHOLE_BPS, help_text="Of the share, in 1/10,000.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take one thing."""
        if ("item" in attrs) == ("product" in attrs):
            raise serializers.ValidationError("Say an item or a product.", code="one_thing")
        return attrs


class CollaborationOut(serializers.ModelSerializer[Collaboration]):
    owner = serializers.CharField(source="owner.handle")
    creator = serializers.CharField(source="creator.handle")
    item = serializers.IntegerField(source="item_id", allow_null=True)
    product = serializers.IntegerField(source="product_id", allow_null=True)

    class Meta:
        model = Collaboration
        fields = ["id", "owner", "item", "product", "creator", "bps", "proposed_at", "agreed_at", "ended_at"]


class AffiliateIn(In):
    recruiter = serializers.CharField(max_length=20, required=False, help_text="The code of who recruited them.")


class AffiliateOut(serializers.ModelSerializer[Affiliate]):
    creator = serializers.CharField(source="creator.handle")
    recruiter = serializers.CharField(source="recruiter.code", default=None, allow_null=True)

    class Meta:
        model = Affiliate
        fields = ["id", "creator", "code", "recruiter", "joined_at"]


class AffiliateTermsIn(In):
    first_bps = serializers.IntegerField(min_value=0, max_value=WHOLE_BPS, help_text="To who brings a buyer.")
    second_bps = serializers.IntegerField(min_value=0, max_value=WHOLE_BPS, help_text="To who recruited those.")


class AffiliateTermsOut(serializers.ModelSerializer[AffiliateTerms]):
    creator = serializers.CharField(source="creator.handle")

    class Meta:
        model = AffiliateTerms
        fields = ["id", "creator", "first_bps", "second_bps", "starts_at"]


class ReferralIn(In):
    code = serializers.CharField(max_length=20)


class ReferralOut(serializers.ModelSerializer[Referral]):
    code = serializers.CharField(source="affiliate.code")

    class Meta:
        model = Referral
        fields = ["id", "code", "referred_at"]


class ShareOut(serializers.ModelSerializer[LineShare]):
    line = serializers.IntegerField(source="line_id")
    creator = serializers.CharField(source="creator.handle")
    currency = serializers.CharField()
    paid_at = serializers.DateTimeField(allow_null=True, help_text="None: not yet.")

    class Meta:
        model = LineShare
        fields = ["id", "line", "creator", "role", "amount", "currency", "paid_at"]


class CollaborationViewSet(MoneyViewSet):
    lookup_value_converter = "int"

    def collaboration(self, pk: int) -> Collaboration:
        return get_object_or_404(queries.collaborations_of(self.viewer), pk=pk)

    @extend_schema(responses=CollaborationOut(many=True))
    def list(self, request: Request) -> Response:
        """What who asks shares with others, and others with them, newest first."""
        return self.page(queries.collaborations_of(self.viewer), CollaborationOut)

    @extend_schema(request=CollaborationIn, responses={201: CollaborationOut})
    def create(self, request: Request) -> Response:
        """Offer another creator a part of what an item or a product earns. It counts once they agree."""
        ask = self.sent(CollaborationIn)
        creator = get_object_or_404(Creator, handle=ask["creator"])
        thing: Item | Product = (
            get_object_or_404(Item.objects.select_related("creator"), pk=ask["item"])
            if "item" in ask
            else get_object_or_404(Product.objects.select_related("creator"), pk=ask["product"])
        )
        made = operations.propose_collaboration(
            by=self.viewer, thing=thing, creator=creator, bps=ask["bps"], at=timezone.now()
        )
        return Response(CollaborationOut(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=CollaborationOut)
    @action(detail=True, methods=["post"])
    def agree(self, request: Request, pk: int) -> Response:
        """Take the part that was offered."""
        agreed = operations.agree(collaboration=self.collaboration(pk), by=self.viewer, at=timezone.now())
        return Response(CollaborationOut(agreed).data)

    @extend_schema(request=None, responses=CollaborationOut)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: int) -> Response:
        """Share no longer. Orders placed before keep their shares."""
        ended = operations.end_collaboration(collaboration=self.collaboration(pk), by=self.viewer, at=timezone.now())
        return Response(CollaborationOut(ended).data)


class AffiliateViewSet(MoneyViewSet):
    @extend_schema(responses=AffiliateOut(many=True))
    def list(self, request: Request) -> Response:
        """The code of who asks and whom they recruited; all for staff. Newest first."""
        return self.page(queries.affiliates_seen_by(self.viewer), AffiliateOut)

    @extend_schema(request=AffiliateIn, responses={201: AffiliateOut})
    def create(self, request: Request) -> Response:
        """Get a code to bring buyers by: creators only, for their parts are paid to creators."""
        made = operations.become_affiliate(member=self.viewer, at=timezone.now(), **self.sent(AffiliateIn))
        return Response(AffiliateOut(made).data, status=status.HTTP_201_CREATED)


class AffiliateTermsViewSet(MoneyViewSet):
    @extend_schema(responses=AffiliateTermsOut(many=True))
    def list(self, request: Request) -> Response:
        """What creators leave to who brings buyers, newest first."""
        return self.page(queries.affiliate_offers(), AffiliateTermsOut)

    @extend_schema(request=AffiliateTermsIn, responses={201: AffiliateTermsOut})
    def create(self, request: Request) -> Response:
        """Leave so much of one's share to who brings buyers, and to who recruited those; 0 and 0: nothing."""
        ask = self.sent(AffiliateTermsIn)
        creator = publisher(member=self.viewer)
        made = operations.set_affiliate_terms(creator=creator, by=self.viewer, at=timezone.now(), **ask)
        return Response(AffiliateTermsOut(made).data, status=status.HTTP_201_CREATED)


class ReferralViewSet(MoneyViewSet):
    @extend_schema(request=ReferralIn, responses={201: ReferralOut})
    def create(self, request: Request) -> Response:
        """Say by whose link who asks came; the last one counts."""
        made = operations.refer(viewer=self.viewer, at=timezone.now(), **self.sent(ReferralIn))
        return Response(ReferralOut(made).data, status=status.HTTP_201_CREATED)


class ShareViewSet(MoneyViewSet):
    @extend_schema(responses=ShareOut(many=True))
    def list(self, request: Request) -> Response:
        """The parts of shared sales of who asks, newest first; all for staff."""
        return self.page(queries.shares_of(self.viewer), ShareOut)
