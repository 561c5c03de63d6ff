"""Isolation as constraints: makemigrations writes them, the database holds them.

Each is a small BaseConstraint. They are added to every tenant table by TenantOwned, never by hand.
"""

from abc import ABC, abstractmethod
from typing import Any

from django.conf import settings
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import BaseConstraint, Model

from kpplatform.tenancy import roles

# The empty string is what a transaction-local setting leaves behind in a pooled connection.
CURRENT_TENANT = "nullif(current_setting('kp.tenant', true), '')::bigint"


class DatabaseConstraint(BaseConstraint, ABC):
    """A constraint that only the database checks: statements to make it and statements to take it back."""

    @abstractmethod
    def make(self, model: type[Model], quote: Any) -> list[str]:
        """Return the statements that put the constraint in force."""

    @abstractmethod
    def unmake(self, model: type[Model], quote: Any) -> list[str]:
        """Return the statements that lift the constraint."""

    def create_sql(self, model: type[Model] | None, schema_editor: BaseDatabaseSchemaEditor | None) -> Any:
        """Queue the statements behind the migration's others: they refer to keys that other tables get in it."""
        assert model is not None
        assert schema_editor is not None
        schema_editor.deferred_sql.extend(self.make(model, schema_editor.quote_name))

    constraint_sql = create_sql

    def remove_sql(self, model: type[Model] | None, schema_editor: BaseDatabaseSchemaEditor | None) -> Any:
        assert model is not None
        assert schema_editor is not None
        return "; ".join(self.unmake(model, schema_editor.quote_name))

    def validate(self, *args: Any, **kwargs: Any) -> None:
        """Leave it to the database."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DatabaseConstraint) and self.deconstruct() == other.deconstruct()

    def __hash__(self) -> int:
        return hash((type(self), self.name))


class TenantPolicy(DatabaseConstraint):
    """Rows are seen and written in their tenant's scope only, by the table's owner too; operators read all."""

    def make(self, model: type[Model], quote: Any) -> list[str]:
        table = quote(model._meta.db_table)
        operator = quote(roles.operator_role(settings.ROLES))
        own = f"tenant_id = {CURRENT_TENANT}"
        return [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY {quote(self.name)} ON {table} USING ({own}) WITH CHECK ({own})",
            f"CREATE POLICY {quote(self.name + '_operator')} ON {table} FOR SELECT TO {operator} USING (true)",
        ]

    def unmake(self, model: type[Model], quote: Any) -> list[str]:
        table = quote(model._meta.db_table)
        return [
            f"DROP POLICY {quote(self.name + '_operator')} ON {table}",
            f"DROP POLICY {quote(self.name)} ON {table}",
            f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
        ]


class SameTenant(DatabaseConstraint):
    """A foreign key is a pair (tenant, id): a row cannot point into another tenant.

    With `also`, further columns of the same name on both sides have to agree.
    """

    def __init__(self, *, field: str, name: str, also: tuple[str, ...] = ()) -> None:
        super().__init__(name=name)
        self.field = field
        self.also = tuple(also)

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        return path, tuple(args), kwargs | {"field": self.field} | ({"also": self.also} if self.also else {})

    def make(self, model: type[Model], quote: Any) -> list[str]:
        field: Any = model._meta.get_field(self.field)
        table, other = quote(model._meta.db_table), quote(field.related_model._meta.db_table)
        also = "".join(f", {quote(column)}" for column in self.also)
        pair = f"FOREIGN KEY (tenant_id, {quote(field.column)}{also}) REFERENCES {other} (tenant_id, id{also})"
        return [f"ALTER TABLE {table} ADD CONSTRAINT {quote(self.name)} {pair} DEFERRABLE INITIALLY DEFERRED"]

    def unmake(self, model: type[Model], quote: Any) -> list[str]:
        return [f"ALTER TABLE {quote(model._meta.db_table)} DROP CONSTRAINT {quote(self.name)}"]


class AppendOnly(DatabaseConstraint):
    """The app may insert and select; it updates the named columns at most, and deletes nothing."""

    def __init__(self, *, name: str, updatable: tuple[str, ...] = ()) -> None:
        super().__init__(name=name)
        self.updatable = tuple(updatable)

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        return path, tuple(args), kwargs | {"updatable": self.updatable}

    def make(self, model: type[Model], quote: Any) -> list[str]:
        table, app = quote(model._meta.db_table), quote(roles.app_role(settings.ROLES))
        columns = ", ".join(quote(column) for column in self.updatable)
        revoke = f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {app}"
        return [revoke, f"GRANT UPDATE ({columns}) ON {table} TO {app}"] if columns else [revoke]

    def unmake(self, model: type[Model], quote: Any) -> list[str]:
        table, app = quote(model._meta.db_table), quote(roles.app_role(settings.ROLES))
        return [f"GRANT UPDATE, DELETE ON {table} TO {app}"]
