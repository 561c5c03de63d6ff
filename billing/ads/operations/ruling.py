"""Changing what holds for all ads of a tenant."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction

from billing.ads.models import AdRulesChange
from billing.ads.queries.limits import must_be_rules
from billing.ads.queries.rules import AdRules, ad_rules
from billing.operations.staff import must_run_the_tenant
from kpplatform.tenancy.models import Member, Tenant
from kpplatform.tenancy.scope import current_tenant, current_tenant_id


@transaction.atomic
def change_ad_rules(*, changes: Mapping[str, Any], by: Member, why: str = "", at: datetime) -> AdRules:
    """Let these rules hold from now on; what is not named stays. Raises StaffOnly and BadAdRules."""
    must_run_the_tenant(by)
    must_be_rules(changes)
    tenant = held_tenant()
    usual = asdict(AdRules())
    before = {name: tenant.settings.get(f"ad_{name}", usual[name]) for name in changes}
    after = {name: value for name, value in changes.items() if value != before[name]}
    if after:
        tenant.settings = tenant.settings | {f"ad_{name}": value for name, value in after.items()}
        tenant.save(update_fields=["settings"])
        transaction.on_commit(partial(setattr, current_tenant(), "settings", tenant.settings))
        told = {"before": {name: before[name] for name in after}, "after": after, "why": why}
        AdRulesChange.objects.create(by=by, changed_at=at, **told)
    return ad_rules(tenant)


def held_tenant() -> Tenant:
    """Return the scope's tenant as it is now; nobody else changes its rules before the transaction ends."""
    tenant: Tenant = Tenant.objects.select_for_update(no_key=True).get(pk=current_tenant_id())
    return tenant
