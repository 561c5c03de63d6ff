"""The catalogue: what there is, who may watch it, what was watched, and what was kept out of the counts and why."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from catalog import operations, queries
from catalog.admin.rulings import AppealAdmin, RulingAdmin
from catalog.models import (
    Access,
    Comment,
    Consent,
    ConsentTerms,
    Item,
    Lesson,
    MutedWord,
    Pass,
    Purpose,
    Reaction,
    Report,
    Ruling,
    Section,
    Topic,
    Watch,
)
from kpplatform.tenancy.admin_base import TenantAdmin, labelled, runs_the_tenant, staff
from kpplatform.tenancy.admin_parts import WordsForm, words_of

__all__ = ["AppealAdmin", "RulingAdmin"]  # what is imported to be registered; the rest stands here

STATE_COLOURS = {"published": "success", "scheduled": "info", "withdrawn": "danger", "draft": ""}
REASON_COLOURS = dict.fromkeys(Watch.Quarantine.values, "danger")
OF_VIEWER_AND_ITEM = ("pk", "viewer_id", "item_id")


@admin.register(Topic)
class TopicAdmin(TenantAdmin):
    list_display = ("name_zh", "name_en", "slug", "parent")
    list_select_related = ("parent",)
    search_fields = ("name_zh", "name_en", "slug")


@admin.register(Item)
class ItemAdmin(TenantAdmin):
    own = "creator__member"
    list_display = ("title", "kind", "creator", "topic", "shown_state", "published_at", "is_free", "likes", "comments")
    list_select_related = ("creator", "topic")
    search_fields = ("title",)
    number_fields = ("pk", "external_id")
    list_filter = ("kind", "state", "is_free", "published_at")
    actions = ("publish", "withdraw")

    @display(description=_("state"), label=STATE_COLOURS)
    def shown_state(self, item: Item) -> tuple[str, str]:
        return labelled(item.state, item.get_state_display())

    @admin.action(description=_("Publish now"), permissions=["acting"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Item]) -> None:
        by, now = staff(request), timezone.now()
        self.do_each(request, queryset, lambda item: operations.publish(item=item, by=by, at=now))

    @admin.action(description=_("Withdraw"), permissions=["acting"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Item]) -> None:
        by, now = staff(request), timezone.now()
        self.do_each(request, queryset, lambda item: operations.withdraw(item=item, by=by, at=now))


@admin.register(Section)
class SectionAdmin(TenantAdmin):
    own = "course__creator__member"
    list_display = ("title", "course", "position")
    list_select_related = ("course",)
    search_fields = ("title", "course__title")
    number_fields = ("pk", "course_id")


@admin.register(Lesson)
class LessonAdmin(TenantAdmin):
    own = "section__course__creator__member"
    list_display = ("title", "section", "position", "video", "is_preview")
    list_select_related = ("section", "video")
    search_fields = ("title", "section__title")
    number_fields = ("pk", "section_id", "video_id")
    list_filter = ("is_preview",)


@admin.register(Access)
class AccessAdmin(TenantAdmin):
    own = "item__creator__member"
    list_display = ("viewer", "item", "source", "starts_at", "ends_at", "revoked_at")
    list_select_related = ("viewer", "item")
    search_fields = ("^source",)
    number_fields = OF_VIEWER_AND_ITEM
    list_filter = ("starts_at", ("revoked_at", admin.EmptyFieldListFilter))


@admin.register(Pass)
class PassAdmin(TenantAdmin):
    own = "creator__member"
    list_display = ("viewer", "creator", "source", "starts_at", "ends_at", "revoked_at")
    list_select_related = ("viewer", "creator")
    search_fields = ("^source",)
    number_fields = ("pk", "viewer_id", "creator_id")
    list_filter = ("starts_at", ("revoked_at", admin.EmptyFieldListFilter))


@admin.register(Reaction)
class ReactionAdmin(TenantAdmin):
    own = "item__creator__member"
    list_display = ("viewer", "kind", "item", "reacted_at")
    list_select_related = ("viewer", "item")
    number_fields = OF_VIEWER_AND_ITEM
    list_filter = ("kind", "reacted_at")


@admin.register(Report)
class ReportAdmin(TenantAdmin):
    list_display = ("item", "reason", "text", "viewer", "reported_at")
    list_select_related = ("viewer", "item__creator")
    number_fields = OF_VIEWER_AND_ITEM
    list_filter = ("reason", "reported_at")
    action_form = WordsForm
    actions = ("take_down",)

    @admin.action(description=_("Take the item down, with the words beside it for its creator"), permissions=["staff"])
    def take_down(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        """Take each item down by the rule that it is reported for."""
        said: dict[str, Any] = {"why": words_of(request), "by": staff(request), "at": timezone.now()}
        self.do_each(
            request, queryset, lambda of: operations.take_down(item=of.item, rule=Ruling.Rule(of.reason), **said)
        )


@admin.register(Comment)
class CommentAdmin(TenantAdmin):
    own = "item__creator__member"
    list_display = ("__str__", "viewer", "item", "written_at", "deleted_at")
    list_select_related = ("viewer", "item")
    search_fields = ("body",)
    number_fields = OF_VIEWER_AND_ITEM
    list_filter = ("written_at", ("deleted_at", admin.EmptyFieldListFilter))
    action_form = WordsForm
    actions = ("reply", "take_down")

    @admin.action(description=_("Reply with the words beside it"), permissions=["acting"])
    def reply(self, request: HttpRequest, queryset: QuerySet[Comment]) -> None:
        body, by, now = words_of(request), staff(request), timezone.now()
        if not body:
            self.message_user(request, _("A reply needs words: write them beside the action."), messages.ERROR)
            return
        told: dict[str, Any] = {"viewer": by, "body": body, "at": now}
        self.do_each(request, queryset, lambda of: operations.comment(item=of.item, parent_id=of.pk, **told))

    @admin.action(description=_("Take down"), permissions=["staff"])
    def take_down(self, request: HttpRequest, queryset: QuerySet[Comment]) -> None:
        by, now = staff(request), timezone.now()
        self.do_each(request, queryset, lambda comment: operations.delete_comment(comment=comment, by=by, at=now))


@admin.register(Watch)
class WatchAdmin(TenantAdmin):
    own = "item__creator__member"
    list_display = ("viewer", "item", "started_at", "watched", "source", "reason")
    list_select_related = ("viewer", "item")
    number_fields = OF_VIEWER_AND_ITEM
    list_filter = ("quarantine", "device", "network", "started_at")

    @display(description=_("watched"))
    def watched(self, watch: Watch) -> str:
        return f"{watch.watch_ms / 1000:,.0f} s / {watch.duration_ms / 1000:,.0f} s"

    @display(description=_("quarantine"), label=REASON_COLOURS)
    def reason(self, watch: Watch) -> tuple[str, str] | str:
        return labelled(watch.quarantine, watch.get_quarantine_display()) if watch.quarantine else ""


@admin.register(MutedWord)
class MutedWordAdmin(TenantAdmin):
    list_display = ("viewer", "word", "muted_at")
    list_select_related = ("viewer",)
    search_fields = ("^word",)
    number_fields = ("pk", "viewer_id")


@admin.register(Consent)
class ConsentAdmin(TenantAdmin):
    list_display = ("viewer", "purpose", "version", "is_given", "said_at")
    list_select_related = ("viewer",)
    number_fields = ("pk", "viewer_id")
    list_filter = ("purpose", "is_given", "said_at")


@admin.register(ConsentTerms)
class ConsentTermsAdmin(TenantAdmin):
    """The newest version holds, and staff add another to change the words or to ask first."""

    fields = ("purpose", "text_zh", "text_en", "is_asked_first")
    list_display = ("__str__", "is_asked_first", "counts_from", "by", "published_at")
    list_select_related = ("by",)
    list_filter = ("purpose", "published_at")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return runs_the_tenant(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return super().get_readonly_fields(request, obj) if obj else []

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin with what holds."""
        standing = queries.standing_terms(Purpose.PERSONAL_EVENTS)
        return {name: getattr(standing, name) for name in self.fields}

    def save_model(self, request: HttpRequest, obj: ConsentTerms, form: Any, change: bool) -> None:  # noqa: FBT001  Django's
        """Publish it, as the API does; consents to earlier words go on holding."""
        said = dict(form.cleaned_data)
        purpose = Purpose(said.pop("purpose"))
        obj.pk = operations.publish_terms(purpose=purpose, **said, by=staff(request), at=timezone.now()).pk

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Leave the journal to the rows."""
