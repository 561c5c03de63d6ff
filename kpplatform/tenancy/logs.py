"""Every log line says whose it is."""

import logging

from kpplatform.tenancy.scope import tenant_or_none


class TenantFilter(logging.Filter):
    """Give each record the tenant's slug, or a dash outside every scope."""

    def filter(self, record: logging.LogRecord) -> bool:
        tenant = tenant_or_none()
        record.tenant = tenant.slug if tenant else "-"
        return True
