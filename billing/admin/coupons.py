"""To whom personal coupons were given."""

from django.contrib import admin

from billing.models import CouponHolder
from kpplatform.tenancy.admin_base import TenantAdmin


@admin.register(CouponHolder)
class CouponHolderAdmin(TenantAdmin):
    list_display = ("viewer", "coupon", "given_at")
    list_select_related = ("viewer", "coupon")
    number_fields = ("pk", "viewer_id", "coupon_id")
    list_filter = ("given_at",)
