"""What campaigns say to viewers, inside the platform."""

from django.db import models

from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned
from recommender.models.campaigns import Campaign


class Notice(TenantOwned):
    """A campaign was told to a viewer. What it says stands in the campaign."""

    campaign = TenantForeignKey(Campaign, on_delete=models.CASCADE)
    viewer = TenantForeignKey(Member, on_delete=models.CASCADE)
    sent_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    dismissed_at = models.DateTimeField(null=True, blank=True, help_text="It is not shown to the viewer any more.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "campaign", "viewer"], name="a_campaign_is_told_to_a_viewer_once")
        ]
        indexes = [models.Index(fields=["tenant", "viewer", "-id"], name="notice_viewer")]

    def __str__(self) -> str:
        return f"{self.campaign_id}: {self.viewer_id}"


class NoticeRefusal(TenantOwned):
    """A viewer wants no campaign to tell them anything."""

    viewer = TenantForeignKey(Member, on_delete=models.CASCADE)
    refused_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "viewer"], name="a_viewer_refuses_notices_once")]

    def __str__(self) -> str:
        return str(self.viewer_id)
