"""Who shares what with whom, and who brought whom."""

from django.contrib import admin

from billing.models import Affiliate, AffiliateTerms, Collaboration, Referral
from kpplatform.tenancy.admin_base import TenantAdmin


@admin.register(Collaboration)
class CollaborationAdmin(TenantAdmin):
    own = "owner__member"
    list_display = ("owner", "item", "product", "creator", "bps", "proposed_at", "agreed_at", "ended_at")
    list_select_related = ("owner", "item", "product", "creator")
    number_fields = ("pk", "owner_id", "creator_id", "item_id", "product_id")
    list_filter = (("agreed_at", admin.EmptyFieldListFilter), ("ended_at", admin.EmptyFieldListFilter))


@admin.register(Affiliate)
class AffiliateAdmin(TenantAdmin):
    own = "creator__member"
    list_display = ("creator", "code", "recruiter", "joined_at")
    list_select_related = ("creator", "recruiter")
    search_fields = ("^code", "creator__name")
    number_fields = ("pk", "creator_id")
    list_filter = ("joined_at",)


@admin.register(AffiliateTerms)
class AffiliateTermsAdmin(TenantAdmin):
    own = "creator__member"
    list_display = ("creator", "first_bps", "second_bps", "set_by", "starts_at", "ends_at")
    list_select_related = ("creator", "set_by")
    number_fields = ("pk", "creator_id")
    list_filter = (("ends_at", admin.EmptyFieldListFilter),)


@admin.register(Referral)
class ReferralAdmin(TenantAdmin):
    own = "affiliate__creator__member"
    list_display = ("viewer", "affiliate", "referred_at")
    list_select_related = ("viewer", "affiliate")
    number_fields = ("pk", "viewer_id", "affiliate_id")
    list_filter = ("referred_at",)
