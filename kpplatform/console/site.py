"""The web admin: one site, for a tenant's people on its hosts and for operators on the installation's."""

from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.core.paginator import InvalidPage
from django.http import Http404, HttpRequest
from django.template.response import SimpleTemplateResponse, TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

from billing.queries import tenants_zone
from kpplatform.console import dashboard, views
from kpplatform.console.forms import LoginForm, may_enter
from kpplatform.console.names import FLOORS
from kpplatform.console.pages import PAGES
from kpplatform.console.pages.shapes import Audience
from kpplatform.tenancy.admin_base import OperatorAdmin

MOST_DIGITS = 10
GROUPS = {
    Audience.CREATOR: _("Studio"),
    Audience.STAFF: _("Figures of the site"),
    Audience.OPERATOR: _("The installation"),
}


class ConsoleSite(UnfoldAdminSite):
    index_title = _("Overview")
    login_form = LoginForm
    index_template = "console/index.html"
    login_template = "console/login.html"

    def has_permission(self, request: HttpRequest) -> bool:
        return may_enter(request, request.user)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        tenant = request.tenant  # type: ignore[attr-defined]
        context: dict[str, Any] = super().each_context(request)
        return context | {"site_header": tenant.name if tenant else "kpplatform"}

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Take the pages that know about tenants; those of libraries do not, and show and change too much."""
        if admin_class is not None and issubclass(admin_class, OperatorAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Order the floors from the ground up. The sidebar and the page ask for the same: it is worked out once."""
        known: dict[str | None, list[Any]] = request.__dict__.setdefault("_floors", {})
        if app_label not in known:
            floors: list[Any] = super().get_app_list(request, app_label)
            known[app_label] = sorted(floors, key=lambda floor: list(FLOORS).index(floor["app_label"]))
        return known[app_label]

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [path("figures/<slug:slug>/", self.admin_view(self.figures), name="figures"), *super().get_urls()]

    def figures(self, request: HttpRequest, slug: str) -> TemplateResponse:
        return views.figures(request, slug, self.each_context(request))

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        """Put the pages of figures that are for whoever looks above the tables, which are folded floor by floor."""
        if not self.has_permission(request):
            return []
        groups = []
        for audience, title in GROUPS.items():
            pages = [page for page in PAGES if page.audience == audience and views.may_see(request, page)]
            links = [(page.title, page.icon, views.address_of(request, page)) for page in pages]
            groups.append({"title": title, "items": [_link(request, *link) for link in links], "collapsible": False})
        for floor in self.get_app_list(request):
            tables = [(table["name"], "", table["admin_url"]) for table in floor["models"]]
            groups.append(
                {"title": floor["name"], "items": [_link(request, *link) for link in tables], "collapsible": True}
            )
        return groups

    def admin_view(self, view: Any, *args: Any, **options: Any) -> Any:
        """Show every time on a tenant's pages as its clock has it: so a page is rendered while that clock is set."""
        inner = super().admin_view(view, *args, **options)

        @wraps(inner)
        def on_the_tenants_clock(request: HttpRequest, *named: Any, **of: Any) -> Any:
            with timezone.override(tenants_zone() if request.tenant else None):  # type: ignore[attr-defined]
                answer = inner(request, *named, **of)
                return answer.render() if isinstance(answer, SimpleTemplateResponse) else answer

        return on_the_tenants_clock

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Find tables by name. Raises Http404 where there is no such page of what was found."""
        asked = request.GET.get("page", "1")
        if not (asked.isascii() and asked.isdecimal() and len(asked) < MOST_DIGITS):
            raise Http404
        try:
            return super().search(request, extra_context)
        except InvalidPage as error:
            raise Http404 from error

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        shown = dashboard.seen_by(request, at=timezone.now())
        answer: TemplateResponse = super().index(request, {"shown": shown, **(extra_context or {})})
        return answer


def _link(request: HttpRequest, title: Any, icon: str, link: str) -> dict[str, Any]:
    is_here = request.path.startswith(urlsplit(link).path)
    return {"title": title, "icon": icon, "link": link, "active": is_here, "has_permission": True}
