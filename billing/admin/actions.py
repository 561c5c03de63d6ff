"""What staff do to rows of money in the console. Each is an operation, done to one row after the other."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from billing import operations
from billing.models import OrderLine, ReconciliationException
from kpplatform.tenancy.admin_base import staff
from kpplatform.tenancy.admin_parts import words_of


@admin.action(description=_("Give back what is left"), permissions=["staff"])
def give_back(page: Any, request: HttpRequest, rows: QuerySet[OrderLine]) -> None:
    """Refund all that was paid and not given back; pressed twice, it is one refund."""
    by, now = staff(request), timezone.now()

    def refund(line: OrderLine) -> object:
        return operations.refund(line=line, by=by, amount=None, key=f"console:{line.refunded}", at=now)

    page.do_each(request, rows, refund)


@admin.action(description=_("Explain, with a note"), permissions=["staff"])
def explain(page: Any, request: HttpRequest, rows: QuerySet[ReconciliationException]) -> None:
    _explain(page, request, rows, is_resolved=False)


@admin.action(description=_("Made good, with a note"), permissions=["staff"])
def resolve(page: Any, request: HttpRequest, rows: QuerySet[ReconciliationException]) -> None:
    _explain(page, request, rows, is_resolved=True)


def _explain(page: Any, request: HttpRequest, rows: Any, *, is_resolved: bool) -> None:
    told: dict[str, Any] = {"by": staff(request), "note": words_of(request), "at": timezone.now()}
    page.do_each(request, rows, lambda row: operations.explain(exception=row, is_resolved=is_resolved, **told))
