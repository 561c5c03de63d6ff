"""The days of flights, what was odd, and make-goods: staff explain and decide."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from billing.ads import operations
from billing.ads.models import Anomaly, FlightDay, MakeGood
from kpplatform.tenancy.admin_base import TenantAdmin, staff


@admin.register(FlightDay)
class FlightDayAdmin(TenantAdmin):
    list_display = ("flight", "day", "offers", "views", "clicks", "held", "billed", "spent")
    list_select_related = ("flight",)
    number_fields = ("pk", "flight_id")
    list_filter = ("day",)


@admin.register(Anomaly)
class AnomalyAdmin(TenantAdmin):
    list_display = ("day", "measure", "seen", "expected", "low", "high", "reason", "found_at", "explained_at")
    list_select_related = ("day",)
    number_fields = ("pk", "day__flight_id")
    list_filter = ("measure", "reason", ("explained_at", admin.EmptyFieldListFilter))


@admin.register(MakeGood)
class MakeGoodAdmin(TenantAdmin):
    list_display = ("flight", "until", "promised", "delivered", "days", "amount", "state", "proposed_at", "decided_at")
    list_select_related = ("flight",)
    number_fields = ("pk", "flight_id")
    list_filter = ("state",)
    actions = ("extend", "credit", "decline")

    @admin.action(description=_("Let it go on for the days proposed"), permissions=["staff"])
    def extend(self, request: HttpRequest, queryset: QuerySet[MakeGood]) -> None:
        self._decide(request, queryset, MakeGood.State.EXTENDED)

    @admin.action(description=_("Credit the amount proposed"), permissions=["staff"])
    def credit(self, request: HttpRequest, queryset: QuerySet[MakeGood]) -> None:
        self._decide(request, queryset, MakeGood.State.CREDITED)

    @admin.action(description=_("Decline"), permissions=["staff"])
    def decline(self, request: HttpRequest, queryset: QuerySet[MakeGood]) -> None:
        self._decide(request, queryset, MakeGood.State.DECLINED)

    def _decide(self, request: HttpRequest, queryset: QuerySet[MakeGood], how: str) -> None:
        said: dict[str, Any] = {"by": staff(request), "how": how, "note": "in the admin", "at": timezone.now()}
        self.do_each(request, queryset, lambda of: operations.decide_on_make_good(make_good=of, **said))
