"""Where a tenant's things lie outside the database: each key and path begins with the tenant."""

from pathlib import Path

from django.conf import settings

from kpplatform.tenancy.scope import current_tenant_id, tenant_or_none

# People sign in once for the installation: who guesses at one tenant is known at the others.
OF_PEOPLE = "allauth"


def cache_key(key: str, key_prefix: str, version: int) -> str:
    """Return the key under which the cache server keeps it: one tenant cannot name another's."""
    tenant = None if key.startswith(OF_PEOPLE) else tenant_or_none()
    return f"{key_prefix}:{tenant.pk if tenant else 'installation'}:{version}:{key}"


def tenant_folder(*parts: str) -> Path:
    """Return the folder of the scope's tenant, or one inside it. Raises NoTenant, or ValueError for a way out."""
    root = Path(settings.STORAGE_DIR) / f"tenant-{current_tenant_id()}"
    folder = root.joinpath(*parts)
    if not folder.resolve().is_relative_to(root.resolve()):
        raise ValueError(f"{'/'.join(parts)} leads out of the tenant's folder.")
    return folder
