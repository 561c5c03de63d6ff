"""TenantOwned: what every table of a tenant inherits, and with it its isolation."""

from typing import Any, TypeVar

from django.db import models
from django.db.models.signals import class_prepared

from kpplatform.tenancy import roles
from kpplatform.tenancy.constraints import SameTenant, TenantPolicy
from kpplatform.tenancy.scope import current_tenant, current_tenant_id

M_co = TypeVar("M_co", bound=models.Model, covariant=True)


class TenantManager(models.Manager[M_co]):
    """The rows of the scope's tenant. The database hides the others; this makes a forgotten scope loud.

    `db_manager("operator")` reads across tenants, through the operator's role.
    """

    def get_queryset(self) -> models.QuerySet[M_co]:
        if self._db != roles.OPERATOR:
            current_tenant()
        return super().get_queryset()

    def none(self) -> models.QuerySet[M_co]:
        """Return no row, which needs no scope: it tells the API's description which model is meant."""
        return super().get_queryset().none()


class TenantForeignKey(models.ForeignKey[Any, Any]):
    """A foreign key to a row of the same tenant; the database checks the pair (tenant, id).

    With `also`, the database checks that further columns of the same name agree on both sides.
    """

    def __init__(self, to: Any, on_delete: Any = models.PROTECT, *, also: tuple[str, ...] = (), **kwargs: Any) -> None:
        self.also = also
        # Indexes lead with the tenant and are declared by the model; the plain key is replaced by the pair.
        plain: dict[str, Any] = {"db_constraint": False, "db_index": False, "related_name": "+"}
        super().__init__(to, on_delete, **plain | kwargs)

    def deconstruct(self) -> tuple[str, str, Any, dict[str, Any]]:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.ForeignKey", args, kwargs | {"db_index": False}


class TenantOwned(models.Model):
    """A row that belongs to one tenant and is kept apart by the database.

    Every subclass gets the tenant, a unique (tenant, id) that others can point to, the row-level policy,
    and a composite foreign key for each TenantForeignKey.
    """

    # The policy admits the scope's tenant only, and tenants are closed, never deleted: no key to check per row.
    tenant = models.ForeignKey(
        "tenancy.Tenant",
        on_delete=models.PROTECT,
        default=current_tenant_id,
        editable=False,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )

    objects = TenantManager()

    class Meta:
        abstract = True


def isolate(sender: type[models.Model], **_: Any) -> None:
    """Add the isolation constraints to a tenant's model before migrations look at it."""
    meta = sender._meta
    if not issubclass(sender, TenantOwned) or meta.abstract or meta.proxy:
        return
    keys = [field for field in meta.local_fields if isinstance(field, TenantForeignKey)]
    meta.constraints = [
        *meta.constraints,
        models.UniqueConstraint(fields=["tenant", "id"], name=f"{meta.db_table}_tenant_id"),
        TenantPolicy(name=f"{meta.db_table}_isolated"),
        *(SameTenant(field=key.name, also=key.also, name=f"{meta.db_table}_{key.name}_same_tenant") for key in keys),
    ]
    meta.original_attrs["constraints"] = meta.constraints


class_prepared.connect(isolate)
