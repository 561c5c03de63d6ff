"""The books and the sales, to be read: only the ledger writes them. What is offered can be withdrawn."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from billing import operations
from billing.admin.actions import give_back
from billing.admin.balance import trial_balance
from billing.admin.inlines import Lines, Payments, Refunds, Transfers
from billing.models import (
    Account,
    ChainHead,
    ClosedCheckout,
    Content,
    Coupon,
    CouponUse,
    Journal,
    LineShare,
    Maturity,
    OfferChange,
    Order,
    OrderLine,
    Payment,
    Price,
    Product,
    ProviderAccount,
    ProviderChange,
    Refund,
    Revocation,
    Transfer,
    WebhookEvent,
)
from billing.money import Money
from kpplatform.tenancy.admin_base import TenantAdmin, labelled, runs_the_tenant, staff

ORDER_COLOURS = {"paid": "success", "placed": "warning", "refunded": "danger"}
PAYMENT_COLOURS = {"captured": "success", "open": "info", "new": "warning", "declined": "danger"}
REFUND_COLOURS = {"sent": "success", "asked": "warning", "failed": "danger"}
EVENT_COLOURS = {"applied": "success", "received": "warning", "quarantined": "danger", "duplicate": ""}


@display(description=_("amount"))
def money(row: Any) -> str:
    return str(row.money)


@admin.register(Account)
class AccountAdmin(TenantAdmin):
    own = "creator__member"
    list_display = ("name", "kind", "shown_balance", "creator", "member", "channel")
    list_select_related = ("creator", "member", "channel")
    search_fields = ("name", "creator__name")
    number_fields = ("pk", "creator_id", "member_id")
    list_filter = ("kind",)

    @display(description=_("balance"))
    def shown_balance(self, account: Account) -> str:
        return str(account.balance)


@admin.register(Journal)
class JournalAdmin(TenantAdmin):
    inlines = (Transfers,)
    list_display = ("seq", "kind", "key", "at")
    search_fields = ("^key",)
    number_fields = ("pk", "seq")
    list_filter = ("kind", "at")


@admin.register(Transfer)
class TransferAdmin(TenantAdmin):
    list_display = ("journal", "debit", "credit", money)
    list_select_related = ("journal", "debit", "credit")
    number_fields = ("pk", "journal_id", "debit_id", "credit_id")
    list_filter = ("journal__kind",)


@admin.register(ChainHead)
class ChainHeadAdmin(TenantAdmin):
    list_display = ("__str__", "seq")
    list_before_template = "console/trial_balance.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        shown = {"trial_balance": trial_balance()} if runs_the_tenant(request) else {}
        return super().changelist_view(request, shown | (extra_context or {}))


@admin.register(Price)
class PriceAdmin(TenantAdmin):
    own = "item__creator__member"
    list_display = ("item", money, "starts_at", "ends_at")
    list_select_related = ("item",)
    search_fields = ("item__title",)
    number_fields = ("pk", "item_id")
    list_filter = (("ends_at", admin.EmptyFieldListFilter),)


@admin.register(Order)
class OrderAdmin(TenantAdmin):
    inlines = (Lines, Payments)
    list_display = ("__str__", "viewer", money, "shown_state", "placed_at", "paid_at")
    list_select_related = ("viewer",)
    search_fields = ("^key", "viewer__name")
    number_fields = ("pk", "viewer_id")
    list_filter = ("state", "placed_at")

    @display(description=_("state"), label=ORDER_COLOURS)
    def shown_state(self, order: Order) -> tuple[str, str]:
        return labelled(order.state, order.get_state_display())


@admin.register(OrderLine)
class OrderLineAdmin(TenantAdmin):
    own = "creator__member"
    inlines = (Refunds,)
    list_display = ("order", "kind", "title", "creator", "paid", "creators_share", "given_back")
    list_select_related = ("order", "item", "product", "creator")
    search_fields = ("item__title", "product__title")
    number_fields = ("pk", "order_id", "item_id", "product_id", "creator_id")
    list_filter = ("kind",)
    actions = (give_back, "revoke")

    @admin.action(description=_("Take back what cost nothing"), permissions=["staff"])
    def revoke(self, request: HttpRequest, rows: QuerySet[OrderLine]) -> None:
        told: dict[str, Any] = {"by": staff(request), "why": "in the admin", "at": timezone.now()}
        self.do_each(request, rows, lambda line: operations.paying.revoke_free(line=line, **told))

    @display(description=_("amount"))
    def paid(self, line: OrderLine) -> str:
        return str(Money(line.amount, line.order.currency))

    @display(description=_("creator's share"))
    def creators_share(self, line: OrderLine) -> str:
        return str(Money(line.share, line.order.currency))

    @display(description=_("refunded"))
    def given_back(self, line: OrderLine) -> str:
        return str(Money(line.refunded, line.order.currency)) if line.refunded else ""


@admin.register(LineShare)
class LineShareAdmin(TenantAdmin):
    own = "creator__member"
    list_display = ("line", "creator", "role", "amount")
    list_select_related = ("line__item", "line__product", "line__creator", "creator")
    number_fields = ("pk", "line_id", "creator_id")
    list_filter = ("role",)


@admin.register(Maturity)
class MaturityAdmin(TenantAdmin):
    own = "creator__member"
    list_display = ("line", "creator", "currency", "amount", "repaid", "reserved", "releases_at")
    list_select_related = ("line__item", "line__product", "line__creator", "creator")
    number_fields = ("pk", "line_id", "creator_id")
    list_filter = (("releases_at", admin.EmptyFieldListFilter),)


@admin.register(Product)
class ProductAdmin(TenantAdmin):
    own = "creator__member"
    list_display = ("title", "kind", "creator", money, "is_open", "made_at", "withdrawn_at")
    list_select_related = ("creator",)
    search_fields = ("title",)
    number_fields = ("pk", "creator_id")
    list_filter = ("kind", ("withdrawn_at", admin.EmptyFieldListFilter))
    actions = ("withdraw",)

    @admin.action(description=_("Sell no longer"), permissions=["acting"])
    def withdraw(self, request: HttpRequest, rows: QuerySet[Product]) -> None:
        by = staff(request)
        self.do_each(
            request, rows, lambda product: operations.withdraw_product(product=product, by=by, at=timezone.now())
        )


@admin.register(OfferChange)
class OfferChangeAdmin(TenantAdmin):
    own = "product__creator__member"
    list_display = ("product", "by", "before", "after", "changed_at")
    list_select_related = ("product", "by")
    number_fields = ("pk", "product_id", "by_id")
    list_filter = ("changed_at",)


@admin.register(Content)
class ContentAdmin(TenantAdmin):
    own = "product__creator__member"
    list_display = ("product", "item", "hours")
    list_select_related = ("product", "item")
    number_fields = ("pk", "product_id", "item_id")


@admin.register(Coupon)
class CouponAdmin(TenantAdmin):
    own = "creator__member"
    list_display = ("code", "creator", "bps", "amount", "uses", "most_uses", "starts_at", "ends_at", "withdrawn_at")
    list_select_related = ("creator",)
    search_fields = ("^code",)
    number_fields = ("pk", "creator_id", "item_id", "product_id")
    list_filter = (("withdrawn_at", admin.EmptyFieldListFilter), "starts_at")
    actions = ("withdraw",)

    @admin.action(description=_("Take no longer"), permissions=["acting"])
    def withdraw(self, request: HttpRequest, rows: QuerySet[Coupon]) -> None:
        by = staff(request)
        self.do_each(request, rows, lambda coupon: operations.withdraw_coupon(coupon=coupon, by=by, at=timezone.now()))


@admin.register(CouponUse)
class CouponUseAdmin(TenantAdmin):
    own = "coupon__creator__member"
    list_display = ("coupon", "order", "viewer", "used_at")
    list_select_related = ("coupon", "order", "viewer")
    number_fields = ("pk", "coupon_id", "order_id", "viewer_id")
    list_filter = ("used_at",)


@admin.register(Revocation)
class RevocationAdmin(TenantAdmin):
    list_display = ("line", "by", "why", "revoked_at")
    list_select_related = ("line__item", "line__product", "line__creator", "by")
    number_fields = ("pk", "line_id", "by_id")
    list_filter = ("revoked_at",)


@admin.register(Payment)
class PaymentAdmin(TenantAdmin):
    list_display = ("order", "provider", money, "shown_state", "created_at", "captured_at", "reference")
    list_select_related = ("order",)
    search_fields = ("^key", "^reference")
    number_fields = ("pk", "order_id")
    list_filter = ("state", "created_at")

    @display(description=_("state"), label=PAYMENT_COLOURS)
    def shown_state(self, payment: Payment) -> tuple[str, str]:
        return labelled(payment.state, payment.get_state_display())


@admin.register(ClosedCheckout)
class ClosedCheckoutAdmin(TenantAdmin):
    list_display = ("key", "payment", "reference", "closed_at")
    list_select_related = ("payment",)
    search_fields = ("^key", "^reference")
    number_fields = ("pk", "payment_id")


@admin.register(Refund)
class RefundAdmin(TenantAdmin):
    list_display = ("line", money, "shown_state", "asked_by", "asked_at", "done_at", "reason")
    list_select_related = ("line__item", "line__product", "line__creator", "asked_by")
    search_fields = ("^key", "^reference")
    number_fields = ("pk", "line_id", "asked_by_id")
    list_filter = ("state", "asked_at")

    @display(description=_("state"), label=REFUND_COLOURS)
    def shown_state(self, refund: Refund) -> tuple[str, str]:
        return labelled(refund.state, refund.get_state_display())


@admin.register(WebhookEvent)
class WebhookEventAdmin(TenantAdmin):
    list_display = ("event_id", "provider", "shown_state", "deliveries", "received_at", "done_at", "reason")
    search_fields = ("^event_id",)
    list_filter = ("state", "received_at")

    @display(description=_("state"), label=EVENT_COLOURS)
    def shown_state(self, event: WebhookEvent) -> tuple[str, str]:
        return labelled(event.state, event.get_state_display())


@admin.register(ProviderAccount)
class ProviderAccountAdmin(TenantAdmin):
    list_display = ("provider", "is_checkout", "changed_by", "changed_at")
    list_select_related = ("changed_by",)
    exclude = ("secrets",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for name in super().get_readonly_fields(request, obj) if name != "secrets"]


@admin.register(ProviderChange)
class ProviderChangeAdmin(TenantAdmin):
    list_display = ("account", "by", "fields", "changed_at")
    list_select_related = ("account", "by")
    number_fields = ("pk", "account_id", "by_id")
