"""What belongs to a row of money, shown below it."""

from billing.models import (
    InstalmentPart,
    OrderLine,
    OutsideIncome,
    Payment,
    PayoutChange,
    Period,
    PriceArm,
    Refund,
    SettlementLine,
    SubscriptionChange,
    Transfer,
)
from kpplatform.tenancy.admin_parts import TenantInline


class Transfers(TenantInline):
    model = Transfer
    fields = ("debit", "credit", "amount", "currency")
    related = ("debit", "credit")


class Lines(TenantInline):
    model = OrderLine
    fields = ("kind", "item", "product", "creator", "amount", "discount", "tax", "share", "refunded", "matures_at")
    related = ("item", "product", "creator")


class Payments(TenantInline):
    model = Payment
    fields = ("provider", "amount", "currency", "state", "reference", "captured_at")


class Refunds(TenantInline):
    model = Refund
    fields = ("amount", "currency", "state", "asked_by", "asked_at", "done_at", "reason")
    related = ("asked_by",)


class Periods(TenantInline):
    model = Period
    fields = ("kind", "plan", "starts_at", "ends_at", "order", "credit")
    related = ("plan__product", "order")


class InstalmentParts(TenantInline):
    model = InstalmentPart
    fields = ("number", "through", "is_rest", "order", "due_at", "paid_at", "voided_at")
    related = ("order",)


class PriceArms(TenantInline):
    model = PriceArm
    own = True
    fields = ("name", "amount", "share")


class SubscriptionChanges(TenantInline):
    model = SubscriptionChange
    fields = ("what", "before", "after", "by", "why", "changed_at")
    related = ("by",)


class PayoutChanges(TenantInline):
    model = PayoutChange
    own = True
    fields = ("before", "after", "by", "why", "changed_at")
    related = ("by",)


class StatementLines(TenantInline):
    model = SettlementLine
    own = True
    fields = ("kind", "count", "amount")


class OutsideRows(TenantInline):
    model = OutsideIncome
    own = True
    fields = ("line", "day", "kind", "title", "reference", "gross", "fee", "currency", "is_counted")
