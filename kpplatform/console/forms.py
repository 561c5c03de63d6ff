"""Signing in to the admin: as strict as everywhere else, the second factor included."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.utils import is_mfa_enabled
from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.forms import AuthenticationForm
from unfold.widgets import BASE_INPUT_CLASSES

from kpplatform.tenancy.models import Member
from kpplatform.tenancy.queries import member_of


def may_enter(request: HttpRequest, user: Any) -> bool:
    """Tell whether the user has business here: operators on the installation's hosts, members on a tenant's."""
    if not user.is_authenticated or not user.is_active:
        return False
    if request.tenant is None:  # type: ignore[attr-defined]
        return bool(user.is_operator)
    member = member_of(user)
    return member is not None and not member.suspended_at and member.role != Member.Role.VIEWER


class LoginForm(AuthenticationForm):
    """E-mail, password, and the code of those who have a second factor. Guesses are counted as everywhere else."""

    code = forms.CharField(
        label=_("One-time code"),
        required=False,
        help_text=_("Only if you have set one up."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "class": " ".join(BASE_INPUT_CLASSES)}),
    )

    def clean(self) -> dict[str, Any]:
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if email and password:
            user = get_adapter().authenticate(self.request, email=email, password=password)
            if user is None:
                raise self.get_invalid_login_error()
            self.confirm_login_allowed(user)
            if is_mfa_enabled(user):
                self.confirm_code(user)
            self.user_cache = user
        cleaned: dict[str, Any] = self.cleaned_data
        return cleaned

    def confirm_login_allowed(self, user: Any) -> None:
        if not may_enter(self.request, user):
            raise ValidationError(_("You have no business in this console."), code="no_business")

    def confirm_code(self, user: Any) -> None:
        second = AuthenticateForm({"code": self.cleaned_data.get("code")}, user=user)
        if not second.is_valid():
            raise ValidationError(_("The one-time code is missing or wrong."), code="wrong_code")
