"""Campaigns in the web admin: staff say whom they are for and begin them, and see how many were held out."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as said
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from kpplatform.tenancy.admin_base import TenantAdmin, runs_the_tenant, staff
from recommender import operations
from recommender.admin.addressing import CampaignForm, GroupForm
from recommender.models import Addressee, Campaign, Notice, NoticeRefusal, ViewerGroup


class Added(TenantAdmin):
    """Rows that staff add by a form of their own, which calls the operation and says why it refuses."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return runs_the_tenant(request)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self.asked(request)

    def asked(self, request: HttpRequest) -> HttpResponse:
        """Show the form, or do what it asks."""
        raise NotImplementedError

    def page(self, request: HttpRequest, **shown: Any) -> TemplateResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, **shown}
        return TemplateResponse(request, "recommender/form.html", context)

    def done(self, request: HttpRequest, text: str) -> HttpResponse:
        self.message_user(request, text, messages.SUCCESS)
        return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")


@admin.register(Campaign)
class CampaignAdmin(Added):
    list_display = ("name", "group", "segment", "least_churn", "reached", "spared", "days", "begun_at", "stopped_at")
    list_select_related = ("group", "segment")
    search_fields = ("name", "message")
    list_filter = ("begun_at", ("stopped_at", admin.EmptyFieldListFilter))
    actions = ("stop",)

    @admin.action(description=_("Stop: tell nobody any more"), permissions=["staff"])
    def stop(self, request: HttpRequest, queryset: QuerySet[Campaign]) -> None:
        now = timezone.now()
        self.do_each(request, queryset, lambda of: operations.stop_campaign(campaign=of, at=now))

    def asked(self, request: HttpRequest) -> HttpResponse:
        """Begin a campaign: who is told cannot be told otherwise."""
        form = CampaignForm(request.POST or None)
        if form.is_valid() and (begun := form.begin(at=timezone.now())):
            counts = {"reached": begun.reached, "spared": begun.spared}
            return self.done(request, said("%(reached)s viewers are told, %(spared)s are left in peace.") % counts)
        explained = said("Those whom it is for are dealt into told and left in peace, for good.")
        buttons = {"begin": said("Begin the campaign")}
        return self.page(request, title=said("Begin a campaign"), form=form, explained=explained, buttons=buttons)


@admin.register(Addressee)
class AddresseeAdmin(TenantAdmin):
    list_display = ("viewer", "campaign", "is_held_out")
    list_select_related = ("viewer", "campaign")
    number_fields = ("pk", "viewer_id", "campaign_id")
    list_filter = ("is_held_out",)


@admin.register(ViewerGroup)
class ViewerGroupAdmin(Added):
    list_display = ("name", "at_least", "made_by", "made_at")
    list_select_related = ("made_by",)
    search_fields = ("name",)
    list_filter = ("made_at",)

    def asked(self, request: HttpRequest) -> HttpResponse:
        """Count, and keep what was counted: rules that were changed since are counted again first."""
        form, by, now = GroupForm(request.POST or None), staff(request), timezone.now()
        buttons, told = {"count": said("Count")}, ""
        if form.is_valid():
            if "keep" in request.POST and form.is_counted and (kept := form.keep(by=by, at=now)):
                return self.done(request, said("The group %(name)s is kept.") % {"name": kept.name})
            if form.is_valid() and (many := form.count(by=by, at=now)) is not None:
                text = ngettext("At least %(many)s viewer.", "At least %(many)s viewers.", many)
                told, buttons["keep"] = text % {"many": many}, said("Keep the group")
        explained = said("All rules that are filled in hold. Numbers are rounded down: nobody is told apart.")
        shown: dict[str, Any] = {"form": form, "said": told, "buttons": buttons, "explained": explained}
        return self.page(request, title=said("Make a group of viewers"), **shown)


@admin.register(Notice)
class NoticeAdmin(TenantAdmin):
    list_display = ("viewer", "campaign", "about", "sent_at", "read_at", "dismissed_at")
    list_select_related = ("viewer", "campaign")
    number_fields = ("pk", "viewer_id", "campaign_id")
    list_filter = ("sent_at", ("read_at", admin.EmptyFieldListFilter))


@admin.register(NoticeRefusal)
class NoticeRefusalAdmin(TenantAdmin):
    list_display = ("viewer", "refused_at")
    list_select_related = ("viewer",)
    number_fields = ("pk", "viewer_id")
