"""Campaigns in the web admin: whom they are for and how many were held out."""

from django.contrib import admin

from kpplatform.tenancy.admin_base import TenantAdmin
from recommender.models import Addressee, Campaign


@admin.register(Campaign)
class CampaignAdmin(TenantAdmin):
    list_display = ("name", "segment", "least_churn", "reached", "spared", "days", "begun_at")
    list_select_related = ("segment",)
    search_fields = ("name", "message")
    list_filter = ("begun_at",)


@admin.register(Addressee)
class AddresseeAdmin(TenantAdmin):
    list_display = ("viewer", "campaign", "is_held_out")
    list_select_related = ("viewer", "campaign")
    number_fields = ("pk", "viewer_id", "campaign_id")
    list_filter = ("is_held_out",)
