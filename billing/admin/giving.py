"""The catalogue of gifts, and who gave what to whom."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from billing import operations
from billing.admin.books import money
from billing.models import Giving, VirtualGift
from kpplatform.tenancy.admin_base import TenantAdmin, staff


@admin.register(VirtualGift)
class VirtualGiftAdmin(TenantAdmin):
    list_display = ("name_zh", "name_en", "coins", "made_at", "withdrawn_at")
    search_fields = ("name_zh", "name_en")
    list_filter = (("withdrawn_at", admin.EmptyFieldListFilter),)
    actions = ("withdraw",)

    @admin.action(description=_("Give no longer"), permissions=["staff"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[VirtualGift]) -> None:
        now, by = timezone.now(), staff(request)
        self.do_each(request, queryset, lambda gift: operations.withdraw_gift(gift=gift, by=by, at=now))


@admin.register(Giving)
class GivingAdmin(TenantAdmin):
    list_display = ("viewer", "creator", "gift", "pieces", money, "message", "given_at", "paid_at", "taken_back_at")
    list_select_related = ("viewer", "creator", "gift")
    search_fields = ("viewer__name", "creator__name")
    number_fields = ("pk", "viewer_id", "creator_id", "line_id")
    list_filter = ("given_at", ("gift", admin.EmptyFieldListFilter))
    actions = ("take_back",)

    @admin.action(description=_("Give the coins back"), permissions=["staff"])
    def take_back(self, request: HttpRequest, queryset: QuerySet[Giving]) -> None:
        now, by = timezone.now(), staff(request)
        self.do_each(
            request,
            queryset,
            lambda giving: operations.take_back_gift(giving=giving, by=by, reason="in the admin", at=now),
        )
