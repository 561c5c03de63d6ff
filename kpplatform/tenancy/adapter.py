"""How allauth deals with people here: one sign-in for the whole installation, whatever host it comes through."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class PeopleAdapter(DefaultAccountAdapter):
    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Count wrong passwords per person, not per host name: a guesser could try every tenant's."""
        return str(credentials.get("email", credentials.get("username", ""))).lower()
