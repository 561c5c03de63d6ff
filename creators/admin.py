"""Creators and who follows them."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from creators.models import Creator, Follow, HiddenCreator
from kpplatform.tenancy.admin_base import TenantAdmin


@admin.register(Creator)
class CreatorAdmin(TenantAdmin):
    own = "member"
    list_display = ("name", "handle", "member", "followers", "is_verified", "created_at")
    list_select_related = ("member",)
    search_fields = ("name", "handle")
    number_fields = ("pk", "member_id", "external_id")
    list_filter = (("verified_at", admin.EmptyFieldListFilter), "created_at")

    @display(description=_("verified"), boolean=True)
    def is_verified(self, creator: Creator) -> bool:
        return creator.verified_at is not None


@admin.register(Follow)
class FollowAdmin(TenantAdmin):
    own = "creator__member"
    list_display = ("viewer", "creator", "followed_at")
    list_select_related = ("viewer", "creator")
    number_fields = ("pk", "viewer_id", "creator_id")
    list_filter = ("followed_at",)


@admin.register(HiddenCreator)
class HiddenCreatorAdmin(TenantAdmin):
    list_display = ("viewer", "creator", "hidden_at")
    list_select_related = ("viewer", "creator")
    number_fields = ("pk", "viewer_id", "creator_id")
    list_filter = ("hidden_at",)
