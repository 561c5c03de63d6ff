"""What leaves for creators, in the web admin: to approve, to hold up and to let go."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from billing.admin.books import money
from billing.admin.inlines import PayoutChanges
from billing.models import Payout, PayoutAccount, PayoutBatch, PayoutChange, PayoutHold
from billing.operations import paying
from kpplatform.tenancy.admin_base import TenantAdmin, labelled, staff
from kpplatform.tenancy.admin_parts import PressedAdmin, WordsForm, linked, words_of
from kpplatform.tenancy.scope import current_tenant

COLOURS = {"paid": "success", "draft": "warning", "approved": "info", "submitted": "info", "unknown": "warning"}
STATE_COLOURS = COLOURS | {"failed": "danger", "reversed": "danger"}
# How long a review takes that is begun by one press, and what the creator is told.
REVIEW = timedelta(days=7)
TOLD = "Nothing: we review your latest sales."


@admin.register(Payout)
class PayoutAdmin(TenantAdmin):
    own = "creator__member"
    list_display = (
        "creator",
        money,
        "withheld",
        "shown_state",
        "account",
        "drafted_by",
        "approved_by",
        "drafted_at",
        "done_at",
    )
    list_select_related = ("creator", "account", "drafted_by", "approved_by")
    search_fields = ("^key", "^reference")
    number_fields = ("pk", "creator_id")
    list_filter = ("state", "drafted_at")
    inlines = (PayoutChanges,)
    action_form = WordsForm
    actions = ("approve", "hold", "withdraw", "mark_paid", "reverse")

    @display(description=_("state"), label=STATE_COLOURS)
    def shown_state(self, payout: Payout) -> tuple[str, str]:
        return labelled(payout.state, payout.get_state_display())

    @admin.action(description=_("Approve"), permissions=["staff"])
    def approve(self, request: HttpRequest, queryset: QuerySet[Payout]) -> None:
        by, now = staff(request), timezone.now()
        self.do_each(request, queryset, lambda row: paying.approve_payout(payout=row, by=by, at=now))

    @admin.action(description=_("Hold up for review"), permissions=["staff"])
    def hold(self, request: HttpRequest, queryset: QuerySet[Payout]) -> None:
        by, now = staff(request), timezone.now()

        def hold_up(row: Payout) -> PayoutHold:
            told = {"reason": str(PayoutHold.Reason.FRAUD), "required_action": words_of(request) or TOLD}
            return paying.place_hold(creator=row.creator, by=by, expected_on=(now + REVIEW).date(), at=now, **told)

        self.do_each(request, queryset.select_related("creator"), hold_up)

    @admin.action(description=_("Give up"), permissions=["staff"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Payout]) -> None:
        told = self.told(request, why=words_of(request) or "given up")
        self.do_each(request, queryset, lambda row: paying.withdraw_payout(payout=row, **told))

    @admin.action(description=_("The bank has paid it: its reference is the note"), permissions=["staff"])
    def mark_paid(self, request: HttpRequest, queryset: QuerySet[Payout]) -> None:
        told = self.told(request, reference=words_of(request))
        self.do_each(request, queryset, lambda row: paying.mark_paid(payout=row, **told))

    @admin.action(description=_("It came back after it was paid"), permissions=["staff"])
    def reverse(self, request: HttpRequest, queryset: QuerySet[Payout]) -> None:
        told = self.told(request, why=words_of(request) or "came back")
        self.do_each(request, queryset, lambda row: paying.reverse_payout(payout=row, **told))

    def told(self, request: HttpRequest, **more: str) -> dict[str, Any]:
        return {"by": staff(request), "at": timezone.now(), **more}


@admin.register(PayoutHold)
class PayoutHoldAdmin(TenantAdmin):
    own = "creator__member"
    action_form = WordsForm
    list_display = ("creator", "reason", "expected_on", "required_action", "placed_by", "placed_at", "released_at")
    list_select_related = ("creator", "placed_by")
    number_fields = ("pk", "creator_id")
    list_filter = ("reason", ("released_at", admin.EmptyFieldListFilter))
    actions = ("release",)

    @admin.action(description=_("Release"), permissions=["staff"])
    def release(self, request: HttpRequest, queryset: QuerySet[PayoutHold]) -> None:
        by, now = staff(request), timezone.now()
        why = words_of(request)
        self.do_each(request, queryset, lambda row: paying.release_hold(hold=row, by=by, why=why, at=now))


@admin.register(PayoutAccount)
class PayoutAccountAdmin(TenantAdmin):
    own = "creator__member"
    exclude = ("details",)
    list_display = ("creator", "currency", "rail", "hint", "made_by", "made_at", "withdrawn_at")
    list_select_related = ("creator", "made_by")
    number_fields = ("pk", "creator_id")
    list_filter = ("rail", ("withdrawn_at", admin.EmptyFieldListFilter))


@admin.register(PayoutBatch)
class PayoutBatchAdmin(PressedAdmin):
    button = _("Put what is approved into a file")
    explained = _("For the bank, in the tenant's currency: with this they count as submitted.")
    list_display = ("__str__", "currency", "made_by", "made_at", "file")
    list_select_related = ("made_by",)
    list_filter = ("made_at",)

    def press(self, request: HttpRequest) -> str:
        made = paying.make_batch(by=staff(request), currency=current_tenant().currency, at=timezone.now())
        return gettext("%(batch)s was made.") % {"batch": made}

    @display(description=_("file"))
    def file(self, batch: PayoutBatch) -> str:
        return linked(CSV=reverse("payout-batch-file", args=[batch.pk]))


@admin.register(PayoutChange)
class PayoutChangeAdmin(TenantAdmin):
    own = "payout__creator__member"
    list_display = ("payout", "before", "after", "by", "why", "changed_at")
    list_select_related = ("payout", "by")
    number_fields = ("pk", "payout_id")
    list_filter = ("after", "changed_at")
