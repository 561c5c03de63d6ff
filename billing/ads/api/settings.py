"""What holds for all ads, in numbers: told to the tenant's staff and changed by them."""

from dataclasses import asdict
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.ads import operations, queries
from billing.operations.staff import must_run_the_tenant
from kpplatform.rest.serializers import In
from kpplatform.rest.views import SignedIn
from kpplatform.tenancy.models import ApiToken
from kpplatform.tenancy.scope import current_tenant


class AdSettingsOut(serializers.Serializer[Any]):
    every = serializers.IntegerField(help_text="Items between two ads of a session; 0: no ads.")
    floor = serializers.IntegerField(help_text="Minor units for a thousand views, at least.")
    least_taste = serializers.FloatField(help_text="Of the viewer for an ad's topic, from 0 to 1.")
    creators_bps = serializers.IntegerField(help_text="Of what is earned with ads, to creators.")
    view_share = serializers.FloatField(help_text="Of the ad on the screen …")
    view_ms = serializers.IntegerField(help_text="… for so long: a picture or a card.")
    video_view_ms = serializers.IntegerField(help_text="… a video.")
    click_ms = serializers.IntegerField(help_text="After its view, at the earliest.")
    clicks_an_hour = serializers.IntegerField(help_text="Of one viewer; what is beyond is held.")
    qualified_ms = serializers.IntegerField(help_text="Watched of an item, that the view counts for its creator.")
    least_delivered = serializers.FloatField(help_text="Of a sponsorship's budget, else a make-good is proposed.")
    make_good_bps = serializers.IntegerField(help_text="Of what is missing.")
    hold_hours = serializers.IntegerField(help_text="After a day's end, until it is shared.")
    keep_days = serializers.IntegerField(help_text="That an offer is kept, once nothing needs it any more.")


class AdSettingsIn(In, AdSettingsOut):
    why = serializers.CharField(max_length=200, allow_blank=True, required=False, help_text="Kept with the change.")


class AdSettingsView(SignedIn):
    """The numbers behind the published rules."""

    write_scope = ApiToken.Scope.MONEY

    @extend_schema(operation_id="ad_settings", responses=AdSettingsOut)
    def get(self, request: Request) -> Response:
        """What holds for all ads here, in numbers: for the tenant's staff."""
        must_run_the_tenant(self.viewer)
        return Response(AdSettingsOut(asdict(queries.ad_rules(current_tenant()))).data)

    @extend_schema(operation_id="change_ad_settings", request=AdSettingsIn, responses=AdSettingsOut)
    def patch(self, request: Request) -> Response:
        """Change some of it: for the tenant's staff. A number that makes no sense is refused, and named."""
        must_run_the_tenant(self.viewer)
        changes: dict[str, Any] = self.sent(AdSettingsIn, partial=True)
        why = changes.pop("why", "")
        rules = operations.change_ad_rules(changes=changes, by=self.viewer, why=why, at=timezone.now())
        return Response(AdSettingsOut(asdict(rules)).data)
