"""What providers divide themselves, in the web admin."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from billing.admin.books import money
from billing.models import Split, SplitOrder, SplitReceiver, SplitReturn
from billing.money import Money
from kpplatform.tenancy.admin_base import TenantAdmin, labelled

COLOURS = {"done": "success", "asked": "info", "submitted": "info", "unknown": "warning"}
STATE_COLOURS = COLOURS | {"failed": "danger", "returned": "warning"}


@admin.register(SplitReceiver)
class SplitReceiverAdmin(TenantAdmin):
    own = "creator__member"
    exclude = ("details",)
    list_display = ("creator", "provider", "kind", "hint", "registered_at", "refusal", "made_by", "withdrawn_at")
    list_select_related = ("creator", "made_by")
    number_fields = ("pk", "creator_id")
    list_filter = ("provider", "kind", ("withdrawn_at", admin.EmptyFieldListFilter))


@admin.register(SplitOrder)
class SplitOrderAdmin(TenantAdmin):
    list_display = ("key", "payment", "shown_state", "reason", "asked_at", "done_at")
    list_select_related = ("payment",)
    search_fields = ("^key",)
    number_fields = ("pk", "payment_id")
    list_filter = ("state", "asked_at")

    @display(description=_("state"), label=STATE_COLOURS)
    def shown_state(self, order: SplitOrder) -> tuple[str, str]:
        return labelled(order.state, order.get_state_display())


@admin.register(Split)
class SplitAdmin(TenantAdmin):
    own = "creator__member"
    list_display = ("creator", "order", money, "shown_returned", "shown_state", "receiver", "reason", "done_at")
    list_select_related = ("creator", "order", "receiver")
    search_fields = ("^reference",)
    number_fields = ("pk", "creator_id", "order_id")
    list_filter = ("state", "done_at")

    @display(description=_("returned"))
    def shown_returned(self, split: Split) -> str:
        return str(Money(split.returned, split.currency))

    @display(description=_("state"), label=STATE_COLOURS)
    def shown_state(self, split: Split) -> tuple[str, str]:
        return labelled(split.state, split.get_state_display())


@admin.register(SplitReturn)
class SplitReturnAdmin(TenantAdmin):
    own = "split__creator__member"
    list_display = ("key", "split", money, "shown_state", "reason", "asked_at", "done_at")
    list_select_related = ("split",)
    search_fields = ("^key",)
    number_fields = ("pk", "split_id")
    list_filter = ("state", "asked_at")

    @display(description=_("state"), label=STATE_COLOURS)
    def shown_state(self, back: SplitReturn) -> tuple[str, str]:
        return labelled(back.state, back.get_state_display())
