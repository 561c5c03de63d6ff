"""Campaigns in the web admin: whom they are for and how many were held out."""

from django.contrib import admin

from kpplatform.tenancy.admin_base import TenantAdmin
from recommender.models import Addressee, Campaign, Notice, NoticeRefusal, ViewerGroup


@admin.register(Campaign)
class CampaignAdmin(TenantAdmin):
    list_display = ("name", "group", "segment", "least_churn", "reached", "spared", "days", "begun_at")
    list_select_related = ("group", "segment")
    search_fields = ("name", "message")
    list_filter = ("begun_at",)


@admin.register(Addressee)
class AddresseeAdmin(TenantAdmin):
    list_display = ("viewer", "campaign", "is_held_out")
    list_select_related = ("viewer", "campaign")
    number_fields = ("pk", "viewer_id", "campaign_id")
    list_filter = ("is_held_out",)


@admin.register(ViewerGroup)
class ViewerGroupAdmin(TenantAdmin):
    list_display = ("name", "at_least", "made_by", "made_at")
    list_select_related = ("made_by",)
    search_fields = ("name",)
    list_filter = ("made_at",)


@admin.register(Notice)
class NoticeAdmin(TenantAdmin):
    list_display = ("viewer", "campaign", "sent_at", "read_at", "dismissed_at")
    list_select_related = ("viewer", "campaign")
    number_fields = ("pk", "viewer_id", "campaign_id")
    list_filter = ("sent_at", ("read_at", admin.EmptyFieldListFilter))


@admin.register(NoticeRefusal)
class NoticeRefusalAdmin(TenantAdmin):
    list_display = ("viewer", "refused_at")
    list_select_related = ("viewer",)
    number_fields = ("pk", "viewer_id")
