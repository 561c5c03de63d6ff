"""Who advertises, and their campaigns."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from billing.ads import operations
from billing.ads.models import Advertiser, Campaign, CampaignChange, Flight
from kpplatform.tenancy.admin_base import TenantAdmin, staff
from kpplatform.tenancy.admin_parts import WordsForm, words_of


@admin.register(Advertiser)
class AdvertiserAdmin(TenantAdmin):
    list_display = ("name", "member", "made_at", "blocked_at")
    list_select_related = ("member",)
    search_fields = ("name", "member__name")
    list_filter = (("blocked_at", admin.EmptyFieldListFilter),)
    actions = ("block", "unblock")

    @admin.action(description=_("Show none of their ads"), permissions=["staff"])
    def block(self, request: HttpRequest, queryset: QuerySet[Advertiser]) -> None:
        by, now, why = staff(request), timezone.now(), "in the admin"
        self.do_each(
            request, queryset, lambda who: operations.block_advertiser(advertiser=who, by=by, reason=why, at=now)
        )

    @admin.action(description=_("Show their ads again"), permissions=["staff"])
    def unblock(self, request: HttpRequest, queryset: QuerySet[Advertiser]) -> None:
        by, now = staff(request), timezone.now()
        self.do_each(request, queryset, lambda who: operations.unblock_advertiser(advertiser=who, by=by, at=now))


@admin.register(Campaign)
class CampaignAdmin(TenantAdmin):
    action_form = WordsForm
    list_display = ("name", "advertiser", "tier", "state", "starts_at", "ends_at", "committed", "given_back")
    list_select_related = ("advertiser",)
    search_fields = ("name", "advertiser__name")
    number_fields = ("pk", "advertiser_id")
    list_filter = ("state", "tier", "starts_at")
    actions = ("pause", "resume", "end")

    @admin.action(description=_("Pause"), permissions=["staff"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Campaign]) -> None:
        by, now, why = staff(request), timezone.now(), words_of(request)
        self.do_each(request, queryset, lambda of: operations.pause_campaign(campaign=of, by=by, reason=why, at=now))

    @admin.action(description=_("Resume"), permissions=["staff"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Campaign]) -> None:
        by, now = staff(request), timezone.now()
        self.do_each(request, queryset, lambda of: operations.resume_campaign(campaign=of, by=by, at=now))

    @admin.action(description=_("End for good"), permissions=["staff"])
    def end(self, request: HttpRequest, queryset: QuerySet[Campaign]) -> None:
        by, now, why = staff(request), timezone.now(), words_of(request)
        self.do_each(request, queryset, lambda of: operations.end_campaign(campaign=of, by=by, reason=why, at=now))


@admin.register(CampaignChange)
class CampaignChangeAdmin(TenantAdmin):
    list_display = ("campaign", "what", "by", "reason", "changed_at")
    list_select_related = ("campaign", "by")
    search_fields = ("campaign__name", "what")
    number_fields = ("campaign_id",)


@admin.register(Flight)
class FlightAdmin(TenantAdmin):
    list_display = ("name", "campaign", "pays_for", "bid", "budget", "charged", "pace", "starts_at", "ends_at")
    list_select_related = ("campaign",)
    search_fields = ("name", "campaign__name")
    number_fields = ("pk", "campaign_id")
    list_filter = ("pays_for", "is_even")
