"""After rows were written in bulk: the planner's statistics, the dirty watches, the counters. Safe to repeat."""

from django.db import connections

from catalog import operations as catalog
from creators import operations as creators
from kpplatform.tenancy import roles
from kpplatform.tenancy.checks import tenant_tables
from kpplatform.tenancy.models import Tenant


def settle(*, tenant: Tenant, clean: bool) -> None:
    """Set the tenant's counters to the count of their rows, and with `clean` apply the cleaning rules first."""
    # The planner knows nothing of a million new rows until autovacuum comes by, and joins as if there were none.
    with connections[roles.OWNER].cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(tenant_tables())}")
    if clean:
        catalog.clean_again(tenant=tenant)
    catalog.recount_all(tenant=tenant)
    creators.recount_all_followers(tenant=tenant)
