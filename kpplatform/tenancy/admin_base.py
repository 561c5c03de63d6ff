"""What every admin page stands on: who sees which rows, and who may do what.

On a tenant's host, its staff see the tenant's rows and creators their own; on the installation's hosts, operators
read all tenants through the operator's role. Pages show; what is done is done by operations, in the tenant's scope.
"""

from collections.abc import Callable, Iterable
from functools import reduce
from operator import or_
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import DropdownFilter

from kpplatform.errors import Refused
from kpplatform.tenancy import roles
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.queries import member_of

MOST_COUNTED = 10_000


def visitor(request: HttpRequest) -> Member | None:
    """Return who is looking, as a member of the host's tenant; None on the installation's own hosts."""
    if not hasattr(request, "_visitor"):
        has_tenant = request.tenant is not None and request.user.is_authenticated  # type: ignore[attr-defined]
        request._visitor = member_of(request.user) if has_tenant else None  # type: ignore[attr-defined, arg-type]  # noqa: SLF001
    member: Member | None = request._visitor  # type: ignore[attr-defined]  # noqa: SLF001
    return member if member and not member.suspended_at else None


def staff(request: HttpRequest) -> Member:
    """Return the member who does something here."""
    member = visitor(request)
    assert member is not None, "Actions are offered to members only."
    return member


def is_operator(request: HttpRequest) -> bool:
    """Tell whether all tenants are looked at by somebody who may."""
    user = request.user
    return request.tenant is None and user.is_authenticated and user.is_active and user.is_operator  # type: ignore[attr-defined]


def runs_the_tenant(request: HttpRequest) -> bool:
    member = visitor(request)
    return member is not None and member.runs_the_tenant


def database_for(request: HttpRequest) -> str:
    """Return through which role the rows of a page are read."""
    return roles.APP if request.tenant else roles.OPERATOR  # type: ignore[attr-defined]


def labelled(value: str, name: str) -> tuple[str, str]:
    """Return a choice and what it is called in the reader's language: the choice gives the label its colour."""
    return value, gettext(name)


class CountedSoFar(Paginator):  # type: ignore[type-arg]
    """Pages of a table of any size: rows are counted up to a bound, and those beyond are found by searching."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by().values("pk")[:MOST_COUNTED].count())


class TenantFilter(DropdownFilter):
    """For operators: one tenant's rows."""

    title = _("tenant")
    parameter_name = "tenant"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[int, str]]:
        return list(Tenant.objects.order_by("name").values_list("pk", "name"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(tenant=self.value()) if str(self.value() or "").isdecimal() else queryset


class OperatorAdmin(ModelAdmin):
    """Shows the installation's own rows to its operators. No form adds, changes or deletes."""

    list_per_page = 50
    show_full_result_count = False
    paginator = CountedSoFar
    ordering: tuple[str, ...] = ("-pk",)
    sortable_by: tuple[str, ...] = ()
    list_fullwidth = True
    # Columns in which a number that is searched for is looked up by index; without words to search, the only ones.
    number_fields: tuple[str, ...] = ("pk",)
    search_fields: tuple[str, ...] = ("pk",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.replace("\0", "").strip()
        if term.isdecimal() and len(term) < 19:
            found = queryset.filter(reduce(or_, (Q(**{field: int(term)}) for field in self.number_fields)))
            if self.search_fields == ("pk",) or found.exists():
                return found, False
        if term and self.search_fields == ("pk",):
            return queryset.none(), False
        rows: tuple[QuerySet[Any], bool] = super().get_search_results(request, queryset, term)
        return rows

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return [field.name for field in self.opts.fields]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Explain each field in the reader's language."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and field.help_text:
            field.help_text = gettext(field.help_text)
        return field

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return is_operator(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class TenantAdmin(OperatorAdmin):
    """Shows a tenant's rows: all to its staff, a creator's own to the creator, every tenant's to operators.

    `own` is the way from a row to the member whose it is; without one, creators do not see the page.
    """

    own: str | None = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model._default_manager.db_manager(database_for(request)).order_by(*self.ordering)
        if is_operator(request) or runs_the_tenant(request):
            return rows
        member = visitor(request)
        return rows.filter(**{self.own: member}) if self.own and member else rows.none()

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        if is_operator(request) or runs_the_tenant(request):
            return True
        member = visitor(request)
        return self.own is not None and member is not None and member.role == Member.Role.CREATOR

    def has_acting_permission(self, request: HttpRequest) -> bool:
        """Tell whether actions are offered: to members of the tenant, on what they see."""
        return visitor(request) is not None and self.has_view_permission(request)

    def has_staff_permission(self, request: HttpRequest) -> bool:
        return runs_the_tenant(request)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [*self.list_display, *(["tenant"] if is_operator(request) else [])]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [*([TenantFilter] if is_operator(request) else []), *self.list_filter]

    def get_list_select_related(self, request: HttpRequest) -> list[str]:
        return [*(self.list_select_related or []), *(["tenant"] if is_operator(request) else [])]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow the filters that the page offers, and nothing that looks further."""
        return lookup == "tenant" or bool(super().lookup_allowed(lookup, value, request))

    def do_each(self, request: HttpRequest, rows: Iterable[Any], act: Callable[[Any], object]) -> None:
        """Do it to each row, and say how often it was done and why not to the others."""
        done = 0
        for row in rows:
            try:
                act(row)
                done += 1
            except Refused as refused:
                self.message_user(request, f"{row}: {refused.detail}", messages.ERROR)
        if done:
            said = ngettext("%(count)d row was changed.", "%(count)d rows were changed.", done)
            self.message_user(request, said % {"count": done}, messages.SUCCESS)
