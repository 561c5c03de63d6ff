"""Makes what tests need, with the least said. Call inside a scope, except for tenants."""

from itertools import count
from typing import Any

from rest_framework.test import APIClient

from kpplatform.tenancy.models import Member, Tenant, User
from kpplatform.tenancy.operations import create_tenant

numbers = count(1)


def tenant(slug: str) -> Tenant:
    return create_tenant(slug=slug, name=slug.title(), hosts=[f"{slug}.localhost"])


def user(**fields: Any) -> User:
    return User.objects.create_user(f"person{next(numbers)}@example.com", "correct horse battery", **fields)


def member(role: Member.Role = Member.Role.VIEWER, **fields: Any) -> Member:
    return Member.objects.create(user=user(), role=role, name=f"Member {next(numbers)}", **fields)


def client(of: Member) -> APIClient:
    """Return a client of the member's site, signed in as them."""
    asked = APIClient(headers={"host": f"{of.tenant.slug}.localhost"})
    assert of.user is not None
    asked.force_login(of.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return asked
