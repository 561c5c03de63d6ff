"""What is sold in parts, and who pays so."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from billing.admin.books import money
from billing.admin.inlines import InstalmentParts
from billing.models import InstalmentOffer, InstalmentPart, InstalmentPlan
from billing.operations import instalments
from kpplatform.tenancy.admin_base import TenantAdmin, labelled, staff
from kpplatform.tenancy.admin_parts import WordsForm, words_of

COLOURS = {"active": "success", "paid": "success", "past_due": "warning", "defaulted": "danger", "placed": "info"}


@admin.register(InstalmentOffer)
class InstalmentOfferAdmin(TenantAdmin):
    own = "creator__member"
    list_display = ("__str__", "creator", "parts", "made_by", "made_at", "withdrawn_at")
    list_select_related = ("item", "product", "creator", "made_by")
    search_fields = ("item__title", "product__title")
    number_fields = ("pk", "item_id", "product_id")
    list_filter = (("withdrawn_at", admin.EmptyFieldListFilter),)
    actions = ("withdraw",)

    @admin.action(description=_("Take the price at once only"), permissions=["acting"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[InstalmentOffer]) -> None:
        now, by = timezone.now(), staff(request)
        self.do_each(request, queryset, lambda offer: instalments.withdraw_offer(offer=offer, by=by, at=now))


@admin.register(InstalmentPlan)
class InstalmentPlanAdmin(TenantAdmin):
    own = "creator__member"
    inlines = (InstalmentParts,)
    action_form = WordsForm
    list_display = ("__str__", "viewer", money, "paid", "count", "shown_state", "failures", "due_at")
    list_select_related = ("item", "product", "viewer")
    search_fields = ("viewer__name", "item__title", "product__title")
    number_fields = ("pk", "viewer_id", "item_id", "product_id")
    list_filter = ("state", "placed_at")
    actions = ("forgive",)

    @display(description=_("state"), label=COLOURS)
    def shown_state(self, plan: InstalmentPlan) -> tuple[str, str]:
        return labelled(plan.state, plan.get_state_display())

    @admin.action(description=_("Ask for nothing more"), permissions=["staff"])
    def forgive(self, request: HttpRequest, queryset: QuerySet[InstalmentPlan]) -> None:
        told: dict[str, Any] = {
            "by": staff(request),
            "why": words_of(request) or "in the console",
            "at": timezone.now(),
        }
        self.do_each(request, queryset, lambda plan: instalments.forgive(plan=plan, **told))


@admin.register(InstalmentPart)
class InstalmentPartAdmin(TenantAdmin):
    own = "plan__creator__member"
    list_display = ("plan", "number", "through", "is_rest", "order", "due_at", "paid_at", "voided_at")
    list_select_related = ("plan__item", "plan__product", "order")
    number_fields = ("pk", "plan_id", "order_id")
    list_filter = ("is_rest", "paid_at")
