"""What creators earn on other platforms, in the web admin: channels, statements and their rows, and exchange rates."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from billing.admin.inlines import OutsideRows
from billing.models import Channel, ExchangeRate, OutsideIncome, OutsideStatement
from billing.money import Money
from billing.operations.outside import withdraw_statement
from kpplatform.tenancy.admin_base import TenantAdmin, staff
from kpplatform.tenancy.admin_parts import WordsForm, words_of


@admin.register(Channel)
class ChannelAdmin(TenantAdmin):
    own = "creator__member"
    list_display = ("creator", "platform", "name", "made_by", "made_at")
    list_select_related = ("creator", "made_by")
    search_fields = ("^name", "creator__name")
    number_fields = ("pk", "creator_id")
    list_filter = ("platform",)


@admin.register(OutsideStatement)
class OutsideStatementAdmin(TenantAdmin):
    own = "channel__creator__member"
    inlines = (OutsideRows,)
    list_display = ("channel", "since", "until", "rows", "duplicates", "differing", "by", "made_at", "withdrawn_at")
    list_select_related = ("channel", "by")
    search_fields = ("^channel__name",)
    number_fields = ("pk", "channel_id")
    list_filter = ("channel__platform", ("withdrawn_at", admin.EmptyFieldListFilter))
    action_form = WordsForm
    actions = ("withdraw",)

    @admin.action(description=_("Book back: the note says why"), permissions=["acting"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[OutsideStatement]) -> None:
        told: dict[str, Any] = {"by": staff(request), "why": words_of(request), "at": timezone.now()}
        rows = queryset.select_related("channel__creator").order_by("-pk")
        self.do_each(request, rows, lambda row: withdraw_statement(statement=row, **told))


@admin.register(OutsideIncome)
class OutsideIncomeAdmin(TenantAdmin):
    own = "channel__creator__member"
    list_display = ("channel", "day", "kind", "title", "reference", "paid", "kept", "is_counted")
    list_select_related = ("channel",)
    search_fields = ("^reference",)
    number_fields = ("pk", "statement_id", "channel_id")
    list_filter = ("kind", "is_counted", "channel__platform")

    @display(description=_("amount"))
    def paid(self, row: OutsideIncome) -> str:
        return str(Money(row.gross, row.currency))

    @display(description=_("kept by the platform"))
    def kept(self, row: OutsideIncome) -> str:
        return str(Money(row.fee, row.currency)) if row.fee else ""


@admin.register(ExchangeRate)
class ExchangeRateAdmin(TenantAdmin):
    list_display = ("day", "base", "quote", "rate", "source", "set_by", "set_at")
    list_select_related = ("set_by",)
    search_fields = ("^base", "^source")
    list_filter = ("day",)
