"""Opening a page of figures: who looks, and at which days of whom."""

from datetime import date, timedelta

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.queries import tenants_time
from creators.models import Creator
from kpplatform.console.pages import BY_SLUG
from kpplatform.console.pages.shapes import Audience, Look, Page
from kpplatform.metrics.models import CountedDay
from kpplatform.tenancy.admin_base import database_for, is_operator, runs_the_tenant, visitor

SPANS = (7, 28, 90)
USUAL = 28


def may_see(request: HttpRequest, page: Page) -> bool:
    """Tell whether the page is for whoever asks: a studio's page is for its creator, and for staff that name one."""
    if page.audience == Audience.OPERATOR:
        return is_operator(request)
    if page.audience == Audience.STAFF:
        return runs_the_tenant(request)
    return _own(request) is not None or (runs_the_tenant(request) and "creator" in request.GET)


def address_of(request: HttpRequest, page: Page) -> str:
    """Return where the page is; who looks at somebody's studio goes on to other pages of the same one."""
    named = request.GET.get("creator")
    of = {"creator": named} if named and page.audience == Audience.CREATOR and runs_the_tenant(request) else None
    return reverse("admin:figures", args=[page.slug], query=of)


def figures(request: HttpRequest, slug: str, context: dict[str, object]) -> TemplateResponse:
    """Show a page of the last days; which ones and whose, the address says."""
    page = BY_SLUG.get(slug)
    if page is None:
        raise Http404
    if not may_see(request, page):
        raise PermissionDenied
    chosen = next((span for span in SPANS if str(span) == request.GET.get("days")), USUAL)
    look = _look(request, page, chosen)
    # Found by an index: a tenant's last day, of all tenants the day that was begun last.
    newest = "-day" if look.tenant else "-pk"
    counted = CountedDay.objects.db_manager(database_for(request)).order_by(newest).first()
    told = {
        "page": page,
        "title": page.title,
        "shown": page.build(look),
        "look": look,
        "spans": [(span, _query(request, days=span), span == chosen) for span in SPANS],
        "counted_at": counted.counted_at if counted else None,
        "is_of_another": look.creator is not None and look.creator != _own(request),
    }
    return TemplateResponse(request, "console/figures.html", context | told)


def _look(request: HttpRequest, page: Page, days: int) -> Look:
    at = timezone.now()
    tenant = request.tenant  # type: ignore[attr-defined]
    until = tenants_time(at).date() if tenant else at.date()
    creator = _whose(request) if page.audience == Audience.CREATOR else None
    since: date = until - timedelta(days=days - 1)
    asked = {name: _readable(str(value)) for name, value in request.GET.items()}
    return Look(tenant, creator, since, until, at, asked, by=visitor(request))


def _whose(request: HttpRequest) -> Creator:
    handle = _readable(request.GET.get("creator", ""))
    if handle and runs_the_tenant(request):
        named = Creator.objects.filter(handle=handle).first()
        if named is None:
            raise Http404(_("There is no such creator."))
        return named
    own = _own(request)
    if own is None:
        raise PermissionDenied
    return own


def _readable(asked: str) -> str:
    """Return what is asked for without the one character that PostgreSQL's texts do not have."""
    return asked.replace("\0", "")


def _own(request: HttpRequest) -> Creator | None:
    """Return the creator who looks, if it is one: every page of the sidebar asks, the database is asked once."""
    if not hasattr(request, "_creator"):
        member = visitor(request)
        found = Creator.objects.filter(member=member).first() if member else None
        request._creator = found  # type: ignore[attr-defined]  # noqa: SLF001
    own: Creator | None = request._creator  # type: ignore[attr-defined]  # noqa: SLF001
    return own


def _query(request: HttpRequest, **changed: object) -> str:
    told = request.GET.copy()
    for name, value in changed.items():
        told[name] = str(value)
    return f"?{told.urlencode()}"
