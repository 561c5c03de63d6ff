"""The installation refuses to start when tenants are not kept apart."""

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError, connections

from kpplatform.tenancy import roles
from kpplatform.tenancy.owned import TenantOwned


def tenant_tables() -> list[str]:
    """Return the tables of every model that belongs to a tenant."""
    return sorted(
        model._meta.db_table for model in apps.get_models() if issubclass(model, TenantOwned) and not model._meta.proxy
    )


@register(Tags.database)
def isolation_is_in_force(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Check that the app's role cannot bypass the policies and that every tenant table has its own."""
    if not databases or roles.APP not in databases:
        return []
    try:
        with connections[roles.APP].cursor() as cursor:
            return [*_role_problems(cursor), *_table_problems(cursor)]
    except DatabaseError as error:
        hint = "Run `manage.py migrate`, which makes the roles; or `make demo`, which does everything."
        return [Error(f"The app's role cannot reach the database: {error}", hint=hint, id="tenancy.E001")]


def _role_problems(cursor: Any) -> list[CheckMessage]:
    cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
    if cursor.fetchone()[0]:
        return [Error("The app's role can bypass row-level security.", id="tenancy.E002")]
    return []


def _table_problems(cursor: Any) -> list[CheckMessage]:
    cursor.execute(
        """
        SELECT c.relname,
               c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (
                   SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = c.relname || '_isolated'),
               pg_has_role(current_user, c.relowner, 'MEMBER')
        FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname = ANY(%s)
        """,
        [tenant_tables()],
    )
    found = {table: (isolated, owned) for table, isolated, owned in cursor.fetchall()}
    problems: list[CheckMessage] = [
        Error(f"{table} is missing.", hint="Run `manage.py migrate`.", id="tenancy.E005")
        for table in tenant_tables()
        if table not in found
    ]
    for table, (isolated, owned) in found.items():
        if not isolated:
            problems.append(Error(f"{table} is not isolated by row-level security.", id="tenancy.E003"))
        if owned:
            problems.append(Error(f"The app's role owns {table} and could lift its policy.", id="tenancy.E004"))
    return problems


class NotIsolated(RuntimeError):
    """Tenants are not kept apart: this process must not serve."""


def must_be_isolated() -> None:
    """Stop a process that is about to serve while isolation is not in force. Raises NotIsolated."""
    if problems := isolation_is_in_force(databases=[roles.APP]):
        raise NotIsolated("\n".join(str(problem) for problem in problems))
    connections[roles.APP].close()  # a web server forks its workers after this
