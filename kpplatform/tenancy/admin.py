"""Tenants and people, for operators; members and tokens, for the tenant's staff."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from kpplatform.tenancy import operations
from kpplatform.tenancy.admin_base import OperatorAdmin, TenantAdmin, labelled, staff
from kpplatform.tenancy.models import ApiToken, Domain, Member, Tenant, User

ROLE_COLOURS = {"admin": "danger", "staff": "warning", "creator": "info", "viewer": ""}


@admin.register(Tenant)
class TenantsAdmin(OperatorAdmin):
    list_display = ("name", "slug", "language", "currency", "time_zone", "created_at", "closed_at")
    search_fields = ("name", "slug")
    list_filter = ("language", "currency")


@admin.register(Domain)
class DomainAdmin(OperatorAdmin):
    list_display = ("host", "tenant")
    list_select_related = ("tenant",)
    search_fields = ("host", "tenant__name")


@admin.register(User)
class UserAdmin(OperatorAdmin):
    fields = ("email", "is_active", "is_operator", "joined_at", "last_login")
    list_display = ("email", "is_active", "is_operator", "joined_at", "last_login")
    search_fields = ("email",)
    list_filter = ("is_active", "is_operator")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Refuse to filter by what is not shown: a hash would be found out letter by letter."""
        return not lookup.startswith("password") and super().lookup_allowed(lookup, value, request)


@admin.register(Member)
class MemberAdmin(TenantAdmin):
    list_display = ("name", "email", "shown_role", "language", "joined_at", "suspended_at")
    list_select_related = ("user",)
    search_fields = ("name", "user__email")
    number_fields = ("pk", "external_id")
    list_filter = ("role", "is_minor", ("suspended_at", admin.EmptyFieldListFilter))
    actions = ("suspend", "readmit", "make_staff", "make_viewer", "mark_minor", "mark_adult")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Member]:
        """Show people: the anonymous member is none."""
        rows: QuerySet[Member] = super().get_queryset(request).exclude(role=Member.Role.ANONYMOUS)
        return rows

    @display(description=_("e-mail"))
    def email(self, member: Member) -> str:
        return member.user.email if member.user else ""

    @display(description=_("role"), label=ROLE_COLOURS)
    def shown_role(self, member: Member) -> tuple[str, str]:
        return labelled(member.role, member.get_role_display())

    @admin.action(description=_("Suspend"), permissions=["staff"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[Member]) -> None:
        now, by = timezone.now(), staff(request)
        self.do_each(request, queryset, lambda member: operations.suspend(member=member, by=by, at=now))

    @admin.action(description=_("Readmit"), permissions=["staff"])
    def readmit(self, request: HttpRequest, queryset: QuerySet[Member]) -> None:
        by = staff(request)
        self.do_each(request, queryset, lambda member: operations.readmit(member=member, by=by))

    @admin.action(description=_("Make staff"), permissions=["staff"])
    def make_staff(self, request: HttpRequest, queryset: QuerySet[Member]) -> None:
        self.appoint(request, queryset, Member.Role.STAFF)

    @admin.action(description=_("Make viewers"), permissions=["staff"])
    def make_viewer(self, request: HttpRequest, queryset: QuerySet[Member]) -> None:
        self.appoint(request, queryset, Member.Role.VIEWER)

    @admin.action(description=_("Mark as under age"), permissions=["staff"])
    def mark_minor(self, request: HttpRequest, queryset: QuerySet[Member]) -> None:
        by = staff(request)
        self.do_each(request, queryset, lambda one: operations.declare_minor(member=one, is_minor=True, by=by))

    @admin.action(description=_("Mark as of age"), permissions=["staff"])
    def mark_adult(self, request: HttpRequest, queryset: QuerySet[Member]) -> None:
        by = staff(request)
        self.do_each(request, queryset, lambda one: operations.declare_minor(member=one, is_minor=False, by=by))

    def appoint(self, request: HttpRequest, queryset: QuerySet[Member], role: Member.Role) -> None:
        by = staff(request)
        self.do_each(request, queryset, lambda member: operations.appoint(member=member, role=role, by=by))


@admin.register(ApiToken)
class ApiTokenAdmin(TenantAdmin):
    own = "member"
    fields = ("name", "member", "scopes", "created_at", "expires_at", "revoked_at")
    list_display = ("name", "member", "scopes", "created_at", "expires_at", "revoked_at")
    list_select_related = ("member",)
    search_fields = ("name", "member__name")
    number_fields = ("pk", "member_id")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    actions = ("revoke",)

    @admin.action(description=_("Revoke"), permissions=["acting"])
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        now = timezone.now()
        self.do_each(request, queryset, lambda token: operations.revoke_token(token=token, at=now))
