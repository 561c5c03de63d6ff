"""Which version was served when, on whose word and why: a journal that is never changed."""

from django.db import models

from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned
from recommender.models.versions import ModelVersion


class VersionChange(TenantOwned):
    """A version went from one state to another, by a member's word or, without a member, by a training's."""

    version = TenantForeignKey(ModelVersion)
    before = models.CharField(max_length=10, choices=ModelVersion.State.choices, blank=True)
    after = models.CharField(max_length=10, choices=ModelVersion.State.choices)
    share = models.FloatField(null=True, blank=True, help_text="Of the viewers, for a canary.")
    by = TenantForeignKey(Member, null=True, blank=True)
    why = models.CharField(max_length=200)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [AppendOnly(name="a_version_change_is_never_changed")]
        indexes = [models.Index(fields=["tenant", "-changed_at"], name="version_change_newest")]

    def __str__(self) -> str:
        return f"{self.version_id}: {self.before} → {self.after}"
