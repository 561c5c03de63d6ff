"""The three database roles: the owner migrates, the app serves one tenant at a time, the operator reads across.

Only the owner's address has to be configured. The other two roles are made by `manage.py prepare_database`
with passwords derived from the secret key, so that every process of an installation knows them.
"""

import hashlib
import hmac
from typing import Any

OWNER = "owner"
APP = "default"
OPERATOR = "operator"


def app_role(roles: str) -> str:
    """Return the name of the role that requests and jobs use, given what the roles' names begin with."""
    return f"{roles}_app"


def operator_role(roles: str) -> str:
    """Return the name of the role that may read across tenants."""
    return f"{roles}_operator"


def derived_password(*, secret: str, role: str) -> str:
    """Return the role's password: the same in every process that has the secret key."""
    return hmac.new(secret.encode(), f"database role {role}".encode(), hashlib.sha256).hexdigest()


def databases(*, owner: dict[str, Any], roles: str, secret: str, test_name: str) -> dict[str, dict[str, Any]]:
    """Return Django's DATABASES: the owner's as configured, and the app's and operator's beside it.

    In tests the owner makes and migrates one test database, and the other two look at the same one.
    """
    seen = {"TEST": {"MIRROR": OWNER}, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    users = {APP: app_role(roles), OPERATOR: operator_role(roles)}
    return {
        OWNER: owner | {"TEST": {"NAME": test_name, "DEPENDENCIES": []}},
        **{
            alias: owner | seen | {"USER": role, "PASSWORD": derived_password(secret=secret, role=role)}
            for alias, role in users.items()
        },
    }


def prepare(*, cursor: Any, roles: str, secret: str) -> None:
    """Make the app's and the operator's roles, and grant them what future tables will need.

    Neither may bypass row-level security; the operator may only read. Safe to run before every migration.
    """
    for role in (app_role(roles), operator_role(roles)):
        password = derived_password(secret=secret, role=role)
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        verb = "ALTER" if cursor.fetchone() else "CREATE"
        cursor.execute(f"{verb} ROLE \"{role}\" LOGIN NOCREATEDB NOCREATEROLE PASSWORD '{password}'")
        cursor.execute(f'GRANT USAGE ON SCHEMA public TO "{role}"')
    for role, verbs, sequences in (
        (app_role(roles), "SELECT, INSERT, UPDATE, DELETE", "USAGE, SELECT"),
        (operator_role(roles), "SELECT", "SELECT"),
    ):
        default = "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT"
        cursor.execute(f'{default} {verbs} ON TABLES TO "{role}"')
        cursor.execute(f'{default} {sequences} ON SEQUENCES TO "{role}"')
