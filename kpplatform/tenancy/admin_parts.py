"""Parts of admin pages: the rows that belong to one, words that go with an action, and a button above a list."""

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.admin import TabularInline
from unfold.forms import ActionForm
from unfold.widgets import BASE_INPUT_CLASSES

from kpplatform.errors import Refused
from kpplatform.tenancy.admin_base import TenantAdmin, database_for, is_operator, runs_the_tenant

LONGEST_WORDS = 200


class TenantInline(TabularInline):  # type: ignore[misc]  # unfold is not typed
    """Rows that belong to the one shown, to be read, page by page; creators see those that are `own` to them.

    Operators find them on their own page: Django's formsets ask for rows in a tenant's scope.
    """

    extra = 0
    per_page = 50
    can_delete = False
    show_change_link = True
    own = False
    related: ClassVar[tuple[str, ...]] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model._default_manager.db_manager(database_for(request)).order_by("pk")
        return rows.select_related(*self.related)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.fields

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return runs_the_tenant(request) or (self.own and not is_operator(request))

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class WordsForm(ActionForm):  # type: ignore[misc]
    """An action, and why it is done or what is to be noted with it."""

    words = forms.CharField(
        label="",
        required=False,
        max_length=LONGEST_WORDS,
        widget=forms.TextInput(attrs={"placeholder": _("Why, or a note"), "class": " ".join(BASE_INPUT_CLASSES)}),
    )


def words_of(request: HttpRequest) -> str:
    """Return what was said with an action."""
    return request.POST.get("words", "").strip()[:LONGEST_WORDS]


def linked(**addresses: str) -> str:
    """Return links, each under its name."""
    return format_html_join(" ", '<a class="text-primary-600" href="{1}">{0}</a>', addresses.items())


class PressedAdmin(TenantAdmin):
    """A page with one button above its list, for the tenant's staff: what it does is not about rows that are there."""

    list_before_template = "console/button.html"
    button: Any = ""
    explained: Any = ""

    def press(self, request: HttpRequest) -> str:
        """Do it, and say what was done. Raises Refused."""
        raise NotImplementedError

    def get_urls(self) -> list[Any]:
        pressed = self.admin_site.admin_view(require_POST(self.pressed))
        name = f"{self.opts.app_label}_{self.opts.model_name}_press"
        return [path("press/", pressed, name=name), *super().get_urls()]

    def pressed(self, request: HttpRequest) -> HttpResponse:
        if runs_the_tenant(request):
            try:
                self.message_user(request, self.press(request), messages.SUCCESS)
            except Refused as refused:
                self.message_user(request, str(refused.detail), messages.ERROR)
        return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        button = self.button if runs_the_tenant(request) else ""
        shown = {"button": button, "explained": self.explained, "pressed": f"{request.path}press/"}
        answer: HttpResponse = super().changelist_view(request, shown | (extra_context or {}))
        return answer
