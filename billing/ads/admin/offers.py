"""Each time an ad was offered, and those that look odd."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from billing.ads import operations
from billing.ads.models import Offer
from kpplatform.tenancy.admin_base import TenantAdmin, staff


@admin.register(Offer)
class OfferAdmin(TenantAdmin):
    list_display = ("campaign", "flight", "viewer", "offered_at", "viewed_at", "clicked_at", "billed_at", "odd")
    list_select_related = ("campaign", "flight", "viewer")
    number_fields = ("pk", "campaign_id", "flight_id", "viewer_id")
    list_filter = ("odd", ("decided_at", admin.EmptyFieldListFilter), "offered_at")
    actions = ("bill", "set_free", "take_back")

    @admin.action(description=_("Bill it after all"), permissions=["staff"])
    def bill(self, request: HttpRequest, queryset: QuerySet[Offer]) -> None:
        self._decide(request, queryset, is_valid=True)

    @admin.action(description=_("Nobody saw it: set its money free"), permissions=["staff"])
    def set_free(self, request: HttpRequest, queryset: QuerySet[Offer]) -> None:
        self._decide(request, queryset, is_valid=False)

    @admin.action(description=_("Nobody saw what was billed: take it back"), permissions=["staff"])
    def take_back(self, request: HttpRequest, queryset: QuerySet[Offer]) -> None:
        """Credit the advertiser for what was billed."""
        by, now, note = staff(request), timezone.now(), "in the admin"

        def find(of: Offer) -> None:
            about = {"campaign": of.campaign, "offers": [of], "key": f"offer:{of.pk}"}
            operations.find_invalid(**about, by=by, note=note, at=now)

        self.do_each(request, queryset, find)

    def _decide(self, request: HttpRequest, queryset: QuerySet[Offer], *, is_valid: bool) -> None:
        by, now = staff(request), timezone.now()
        self.do_each(
            request, queryset, lambda of: operations.decide_on_offer(offer=of, by=by, is_valid=is_valid, at=now)
        )
