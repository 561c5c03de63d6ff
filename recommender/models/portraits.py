"""Who the viewers are, as of the last refresh."""

from django.db import models

from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class PortraitRun(TenantOwned):
    """One refresh of a tenant's portraits: what was drawn, from what, and how good what was foretold would have been.

    One that has not finished has died, or is at it.
    """

    at = models.DateTimeField(help_text="What was done until then is in it.")
    finished_at = models.DateTimeField(null=True, blank=True)
    viewers = models.PositiveIntegerField(default=0, help_text="Of whom there is a portrait.")
    dimensions = models.PositiveIntegerField(default=0, help_text="Topics and tags.")
    half_life_days = models.FloatField()
    silhouette = models.FloatField(null=True, blank=True, help_text="How well the segments part the viewers.")
    reason = models.CharField(max_length=40, blank=True, help_text="Why there are no segments.")
    rules = models.PositiveIntegerField(default=0)
    foretold = models.JSONField(default=dict, help_text="Hit rates on withheld events, of every way of foretelling.")
    demand = models.JSONField(default=dict, help_text="What share of all interest is each topic's, and of how many.")
    quality = models.JSONField(default=dict, help_text="Of the data: complete, fresh, consistent, shifted.")

    class Meta:
        indexes = [models.Index(fields=["tenant", "-at"], name="portrait_run_newest")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"


class Segment(TenantOwned):
    """Viewers who are interested in the same. Its label stays when the segments are found anew; none is used twice."""

    label = models.PositiveIntegerField()
    size = models.PositiveIntegerField(default=0)
    about = models.JSONField(default=list, help_text="What sets it apart: dimension, share, times the usual.")
    centre = models.JSONField(default=dict, help_text="By dimension.")
    run = TenantForeignKey(PortraitRun, on_delete=models.CASCADE)
    retired_at = models.DateTimeField(null=True, blank=True, help_text="Since when it is not found any more.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "label"], name="a_label_names_one_segment")]

    def __str__(self) -> str:
        return f"{self.label}: {', '.join(str(told[0]) for told in self.about[:3])}"


class Portrait(TenantOwned):
    """What is known of one viewer. Shown to them and to staff; to creators only as one of many."""

    viewer = TenantForeignKey(Member, on_delete=models.CASCADE)
    run = TenantForeignKey(PortraitRun, on_delete=models.CASCADE)
    segment = TenantForeignKey(Segment, null=True, blank=True)
    interests = models.JSONField(help_text="The strongest dimensions, as shares of all interest.")
    active_hours = models.JSONField(help_text="How much of the activity is in each hour of the day.")
    next_topics = models.JSONField(help_text="The likeliest next ones, with their chances.")
    next_items = models.JSONField(help_text="The likeliest next ones, with their chances.")
    next_hours = models.JSONField(help_text="When they are likeliest to come back, with the chances.")
    vector = models.BinaryField(help_text="Latent: float32, of length 1.")
    events = models.PositiveIntegerField()
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    churn = models.FloatField(null=True, blank=True, help_text="The chance that nothing more comes for a while.")
    purchase = models.FloatField(null=True, blank=True, help_text="The chance that something is bought.")
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "viewer"], name="a_viewer_has_one_portrait")]
        indexes = [models.Index(fields=["tenant", "segment"], name="portrait_segment")]

    def __str__(self) -> str:
        return str(self.viewer)
