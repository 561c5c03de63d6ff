"""Tiers, who subscribes, and how that is collected."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from billing import operations
from billing.admin.books import money
from billing.admin.inlines import Periods, SubscriptionChanges
from billing.models import (
    Charge,
    GiftMembership,
    PaymentMethod,
    Period,
    Plan,
    Subscription,
    SubscriptionChange,
    Tier,
    TierItem,
)
from kpplatform.tenancy.admin_base import TenantAdmin, labelled, staff
from kpplatform.tenancy.admin_parts import WordsForm, words_of

STATE_COLOURS = {"active": "success", "trialing": "info", "past_due": "danger", "paused": "warning"}
CHARGE_COLOURS = {"paid": "success", "new": "warning", "declined": "danger", "refused": "danger"}
METHOD_COLOURS = {"saved": "success", "new": "warning", "open": "info", "refused": "danger", "removed": "info"}


@admin.register(Tier)
class TierAdmin(TenantAdmin):
    own = "creator__member"
    list_display = ("title", "creator", "opens_all", "made_at", "withdrawn_at")
    list_select_related = ("creator",)
    search_fields = ("title",)
    number_fields = ("pk", "creator_id")
    list_filter = ("opens_all", ("withdrawn_at", admin.EmptyFieldListFilter))
    actions = ("withdraw",)

    @admin.action(description=_("Let nobody join any longer"), permissions=["acting"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Tier]) -> None:
        now, by = timezone.now(), staff(request)
        self.do_each(request, queryset, lambda tier: operations.withdraw_tier(tier=tier, by=by, at=now))


@admin.register(TierItem)
class TierItemAdmin(TenantAdmin):
    own = "tier__creator__member"
    list_display = ("tier", "item")
    list_select_related = ("tier", "item")
    number_fields = ("pk", "tier_id", "item_id")


@admin.register(Plan)
class PlanAdmin(TenantAdmin):
    own = "tier__creator__member"
    list_display = ("tier", "product", "interval", "trial_days")
    list_select_related = ("tier", "product")
    search_fields = ("tier__title",)
    number_fields = ("pk", "tier_id", "product_id")
    list_filter = ("interval",)


@admin.register(PaymentMethod)
class PaymentMethodAdmin(TenantAdmin):
    list_display = ("key", "member", "provider", "shown_state", "reference", "made_at", "forgotten_at")
    list_select_related = ("member",)
    search_fields = ("^key", "^reference", "member__name")
    number_fields = ("pk", "member_id")
    list_filter = ("state",)

    @display(description=_("state"), label=METHOD_COLOURS)
    def shown_state(self, method: PaymentMethod) -> tuple[str, str]:
        return labelled(method.state, method.get_state_display())


@admin.register(Subscription)
class SubscriptionAdmin(TenantAdmin):
    own = "tier__creator__member"
    inlines = (Periods, SubscriptionChanges)
    action_form = WordsForm
    list_display = ("__str__", "viewer", "tier", "shown_state", "renews", "starts_at", "ends_at", "due_at")
    list_select_related = ("viewer", "tier")
    search_fields = ("viewer__name", "tier__title")
    number_fields = ("pk", "viewer_id", "tier_id")
    list_filter = ("state", "renews")
    actions = ("end_now",)

    @display(description=_("state"), label=STATE_COLOURS)
    def shown_state(self, of: Subscription) -> tuple[str, str]:
        return labelled(of.state, of.get_state_display())

    @admin.action(description=_("End at once"), permissions=["staff"])
    def end_now(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> None:
        told: dict[str, Any] = {
            "by": staff(request),
            "why": words_of(request) or "in the console",
            "at": timezone.now(),
        }
        self.do_each(request, queryset, lambda of: operations.end_subscription(subscription=of, **told))


@admin.register(Period)
class PeriodAdmin(TenantAdmin):
    own = "plan__tier__creator__member"
    list_display = ("subscription", "kind", "plan", "starts_at", "ends_at", "order", "credit")
    list_select_related = ("subscription", "plan", "order")
    number_fields = ("pk", "subscription_id", "order_id")
    list_filter = ("kind", "starts_at")


@admin.register(GiftMembership)
class GiftMembershipAdmin(TenantAdmin):
    list_display = ("order", "plan", "to", "message")
    list_select_related = ("order", "plan", "to")
    number_fields = ("pk", "order_id", "to_id")


@admin.register(Charge)
class ChargeAdmin(TenantAdmin):
    list_display = ("key", "subscription", "plan", money, "shown_state", "reason", "due_at", "made_at", "done_at")
    list_select_related = ("subscription", "plan__item", "plan__product")
    search_fields = ("^key", "^reference")
    number_fields = ("pk", "subscription_id", "plan_id", "payment_id")
    list_filter = ("state", "made_at")

    @display(description=_("state"), label=CHARGE_COLOURS)
    def shown_state(self, charge: Charge) -> tuple[str, str]:
        return labelled(charge.state, charge.get_state_display())


@admin.register(SubscriptionChange)
class SubscriptionChangeAdmin(TenantAdmin):
    list_display = ("subscription", "what", "before", "after", "by", "why", "changed_at")
    list_select_related = ("subscription", "by")
    number_fields = ("pk", "subscription_id", "by_id")
    list_filter = ("what", "changed_at")
