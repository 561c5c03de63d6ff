"""Who changed the tenant's rules for ads."""

from django.db import models

from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class AdRulesChange(TenantOwned):
    """Somebody changed what holds for all ads: what from, what to, why."""

    by = TenantForeignKey(Member)
    before = models.JSONField()
    after = models.JSONField()
    why = models.CharField(max_length=200, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [AppendOnly(name="a_change_of_the_rules_for_ads_is_never_changed")]
        indexes = [models.Index(fields=["tenant", "-id"], name="ad_rules_change_newest")]

    def __str__(self) -> str:
        return ", ".join(f"{name}: {self.before[name]} → {self.after[name]}" for name in self.after)
