"""What breaks a rule: creators find here what was ruled of theirs, and appeal; staff answer."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from catalog import operations
from catalog.models import Appeal, Ruling
from kpplatform.tenancy.admin_base import TenantAdmin, database_for, is_operator, runs_the_tenant, staff
from kpplatform.tenancy.admin_parts import WordsForm, words_of


class Decided(TenantAdmin):
    """What staff have decided: creators read that, but not who of the staff it was."""

    deciders: tuple[str, ...] = ()

    def kept(self, request: HttpRequest, names: list[Any]) -> list[Any]:
        """Return those of the columns that are for whoever looks."""
        is_for_all = runs_the_tenant(request) or is_operator(request)
        return [name for name in names if is_for_all or name not in self.deciders]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.kept(request, list(super().get_fields(request, obj)))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self.kept(request, super().get_readonly_fields(request, obj))

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return self.kept(request, super().get_list_display(request))


class AppealFilter(DropdownFilter):
    """What waits for staff."""

    title = _("appeal")
    parameter_name = "appeal"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("waits", _("the appeal waits for an answer"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        waiting: dict[str, Any] = {"lifted_at": None, "appeals__isnull": False, "appeals__answered_at": None}
        return queryset.filter(**waiting) if self.value() == "waits" else queryset


@admin.register(Ruling)
class RulingAdmin(Decided):
    own = "item__creator__member"
    deciders = ("by",)
    list_display = (
        "item",
        "shown_rule",
        "shown_effect",
        "why",
        "ruled_at",
        "lifted_at",
        "appealed",
        "answered",
    )
    list_select_related = ("item__creator",)
    search_fields = ("item__title",)
    number_fields = ("pk", "item_id")
    list_filter = ("rule", "effect", AppealFilter, "ruled_at", ("lifted_at", admin.EmptyFieldListFilter))
    action_form = WordsForm
    actions = ("appeal", "uphold", "reject")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        appeals = Appeal.objects.db_manager(database_for(request)).order_by("pk")
        return super().get_queryset(request).prefetch_related(Prefetch("appeals", appeals))

    @display(description=_("rule"))
    def shown_rule(self, ruling: Ruling) -> str:
        return gettext(ruling.get_rule_display())

    @display(description=_("effect"))
    def shown_effect(self, ruling: Ruling) -> str:
        return gettext(ruling.get_effect_display())

    @display(description=_("appeal"))
    def appealed(self, ruling: Ruling) -> str:
        return "; ".join(of.text for of in ruling.appeals.all())

    @display(description=_("answer"))
    def answered(self, ruling: Ruling) -> str:
        said = {None: gettext("not answered"), True: gettext("upheld"), False: gettext("rejected")}
        return "; ".join(f"{said[of.is_upheld]} {of.answer}".strip() for of in ruling.appeals.all())

    @admin.action(description=_("Appeal, with the words beside it"), permissions=["acting"])
    def appeal(self, request: HttpRequest, queryset: QuerySet[Ruling]) -> None:
        text, by, now = words_of(request), staff(request), timezone.now()
        if not text:
            self.message_user(request, _("An appeal needs words: write them beside the action."), messages.ERROR)
            return
        self.do_each(request, queryset, lambda of: operations.appeal(ruling=of, by=by, text=text, at=now))

    @admin.action(description=_("Uphold the appeal: lift the ruling"), permissions=["staff"])
    def uphold(self, request: HttpRequest, queryset: QuerySet[Ruling]) -> None:
        self._answer(request, queryset, is_upheld=True)

    @admin.action(description=_("Reject the appeal"), permissions=["staff"])
    def reject(self, request: HttpRequest, queryset: QuerySet[Ruling]) -> None:
        self._answer(request, queryset, is_upheld=False)

    def _answer(self, request: HttpRequest, rulings: QuerySet[Ruling], *, is_upheld: bool) -> None:
        said: dict[str, Any] = {"by": staff(request), "answer": words_of(request), "at": timezone.now()}
        self.do_each(request, rulings, lambda of: operations.answer_appeal(ruling=of, is_upheld=is_upheld, **said))


@admin.register(Appeal)
class AppealAdmin(Decided):
    own = "ruling__item__creator__member"
    deciders = ("answered_by",)
    list_display = ("ruling", "text", "appealed_at", "is_upheld", "answer", "answered_by", "answered_at")
    list_select_related = ("ruling", "answered_by")
    number_fields = ("pk", "ruling_id")
    list_filter = ("is_upheld", "appealed_at")
