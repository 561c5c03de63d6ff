"""How many ads stand in the feed: loads that are tried on viewers, and the one that holds for all."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from billing.money import WHOLE_BPS
from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class LoadTrial(TenantOwned):
    """Some loads of ads are tried on viewers until then: who has which is dealt by their id, by nothing else."""

    name = models.CharField(max_length=100)
    loads = ArrayField(
        models.PositiveSmallIntegerField(),
        help_text="Items between two ads in each arm; 0: no ads. The others are compared with the first.",
    )
    shares_bps = ArrayField(models.PositiveIntegerField(), help_text="Of all viewers, in hundredths of a percent.")
    floor_bps = models.PositiveSmallIntegerField(
        help_text="By so much less than in the first arm viewers may be there, in hundredths of a percent."
    )
    made_by = TenantForeignKey(Member)
    made_at = models.DateTimeField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(help_text="By then it is over, if nobody ends it before.")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = TenantForeignKey(Member, null=True, blank=True, help_text="None: it was over.")
    why = models.CharField(max_length=200, blank=True, help_text="It was ended.")
    figures = models.JSONField(default=dict, blank=True, help_text="What the arms have shown until then.")
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"], condition=Q(ended_at=None), name="a_tenant_tries_loads_once_at_a_time"
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="loads_are_tried_for_a_time"),
            models.CheckConstraint(
                condition=Q(floor_bps__gt=0, floor_bps__lt=WHOLE_BPS), name="a_floor_is_a_part_of_the_days"
            ),
            AppendOnly(
                name="what_loads_were_tried_is_never_changed",
                updatable=("ended_at", "ended_by_id", "why", "figures", "read_at"),
            ),
        ]
        indexes = [models.Index(fields=["tenant", "-id"], name="ad_load_trial_newest")]

    def __str__(self) -> str:
        return self.name

    @property
    def over_at(self) -> datetime:
        """Return when it was over, or will be."""
        over: datetime = min(self.ended_at or self.ends_at, self.ends_at)
        return over

    def is_on(self, at: datetime) -> bool:
        """Tell whether viewers are dealt to its arms."""
        return bool(self.starts_at <= at < self.over_at)


class LoadViewer(TenantOwned):
    """A viewer who asked for a page while loads were tried, and the load that they have since then.

    Who may not be remembered, staff, and who sees no ads anyway are counted in no comparison.
    """

    trial = TenantForeignKey(LoadTrial)
    viewer = TenantForeignKey(Member)
    load = models.PositiveSmallIntegerField(help_text="Items between two ads; 0: no ads.")
    dealt_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "trial", "viewer"], name="a_viewer_is_dealt_one_load"),
            AppendOnly(name="what_load_was_dealt_stays"),
        ]

    def __str__(self) -> str:
        return f"{self.viewer_id}: {self.load}"


class LoadChange(TenantOwned):
    """From then on so many items stand between two ads for everybody; the last one holds."""

    load = models.PositiveSmallIntegerField(help_text="Items between two ads; 0: no ads.")
    before = models.PositiveSmallIntegerField()
    trial = TenantForeignKey(LoadTrial, help_text="In which it was tried.")
    by = TenantForeignKey(Member)
    why = models.CharField(max_length=200, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [AppendOnly(name="a_change_of_load_is_never_changed")]
        indexes = [models.Index(fields=["tenant", "-id"], name="ad_load_change_newest")]

    def __str__(self) -> str:
        return f"{self.before} → {self.load}"
