"""What was billed and turns out to be no viewer's: for the tenant's staff."""

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from billing.ads import operations, queries
from billing.ads.api.serializers import CreditOut
from billing.ads.models import InvalidEvent, Offer
from billing.api.views import MoneyViewSet
from billing.operations.staff import must_run_the_tenant
from kpplatform.rest.serializers import Asked, In

MOST_OFFERS = 1_000


class BilledIn(Asked):
    campaign = serializers.IntegerField(required=False)
    viewer = serializers.IntegerField(required=False)


class BilledOut(serializers.ModelSerializer[Offer]):
    class Meta:
        model = Offer
        fields = [
            "id", "campaign", "flight", "viewer", "price", "offered_at", "viewed_at", "clicked_at", "watched_at",
            "billed_at",
        ]  # fmt: skip


class InvalidIn(In):
    campaign = serializers.IntegerField()
    offers = serializers.ListField(child=serializers.IntegerField(), min_length=1, max_length=MOST_OFFERS)
    note = serializers.CharField(max_length=200, help_text="How it is known that no viewer saw them.")


class InvalidOut(serializers.Serializer[InvalidEvent]):
    credit = CreditOut(allow_null=True, help_text="None while it is less than a minor unit in all.")


class BilledAdViewSet(MoneyViewSet):
    queryset = Offer.objects.none()

    @extend_schema(parameters=[BilledIn], responses=BilledOut(many=True))
    def list(self, request: Request) -> Response:
        """What was billed, the latest first: for the tenant's staff."""
        must_run_the_tenant(self.viewer)
        asked = BilledIn(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        return self.page(queries.billed_offers(**asked.validated_data), BilledOut)

    @extend_schema(request=InvalidIn, responses={201: InvalidOut})
    def create(self, request: Request) -> Response:
        """Note that no viewer saw these: the advertiser is credited, and who had the price gives it back."""
        must_run_the_tenant(self.viewer)
        ask = self.sent(InvalidIn)
        campaign = get_object_or_404(queries.campaigns_of(self.viewer), pk=ask["campaign"])
        offers = list(Offer.objects.filter(pk__in=ask["offers"], campaign=campaign))
        if len(offers) < len(set(ask["offers"])):
            raise operations.NotBilled("Some of these offers are not of this campaign.")
        credit = operations.find_invalid(
            campaign=campaign, offers=offers, by=self.viewer, note=ask["note"], key=self.key(), at=timezone.now()
        )
        return Response(InvalidOut({"credit": credit}).data, status=status.HTTP_201_CREATED)  # type: ignore[arg-type]
