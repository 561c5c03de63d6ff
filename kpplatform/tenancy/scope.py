"""Who is being served. A scope is one transaction in which the database shows one tenant's rows only."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from django.db import connection, transaction

from kpplatform.tenancy.statements import begin_with, trust_if_quiet

if TYPE_CHECKING:
    from kpplatform.tenancy.models import Tenant

_tenant: ContextVar["Tenant | None"] = ContextVar("tenant", default=None)


class NoTenant(RuntimeError):
    """A tenant's rows were asked for outside every scope: a bug, said aloud."""


@contextmanager
def scope(tenant: "Tenant") -> Iterator[None]:
    """Serve this tenant: open a transaction whose statements see and write its rows only.

    The setting is local to the transaction, so a pooled connection never carries it to the next user.
    """
    outer = _tenant.get()
    token = _tenant.set(tenant)
    try:
        trust_if_quiet()
        with transaction.atomic():
            if not begin_with(f"SELECT set_config('kp.tenant', '{int(tenant.pk)}', true)"):
                _tell_database(str(tenant.pk))
            yield
            if connection.savepoint_ids and not transaction.get_rollback():
                # A local setting outlives its savepoint, so an inner scope hands the outer one back.
                _tell_database(str(outer.pk) if outer else "")
    finally:
        _tenant.reset(token)


def _tell_database(tenant_id: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('kp.tenant', %s, true)", [tenant_id])


def current_tenant() -> "Tenant":
    """Return the tenant of the scope. Raises NoTenant outside every scope."""
    if (tenant := _tenant.get()) is None:
        raise NoTenant("This needs a tenant's scope: with scope(tenant): ...")
    return tenant


def current_tenant_id() -> int:
    """Return the id of the scope's tenant. Raises NoTenant outside every scope."""
    return current_tenant().pk


def tenant_or_none() -> "Tenant | None":
    """Return the tenant of the scope, or None outside every scope (for log lines and cache keys)."""
    return _tenant.get()
