"""What campaigns and the platform itself say to members, inside the platform."""

from django.db import models
from django.db.models import Q

from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned
from recommender.models.campaigns import Campaign


class Notice(TenantOwned):
    """A member is told something: by a campaign, which says what, or about something of their own."""

    campaign = TenantForeignKey(Campaign, null=True, blank=True, on_delete=models.CASCADE)
    about = models.CharField(
        max_length=60, blank=True, default="", db_default="", help_text="Of their own: ruling:1, week:2026-04-27 …"
    )
    text_zh = models.TextField(
        max_length=2_000, blank=True, default="", db_default="", help_text="Unless it is a campaign's."
    )
    text_en = models.TextField(
        max_length=2_000, blank=True, default="", db_default="", help_text="Unless it is a campaign's."
    )
    link = models.CharField(
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text="A page of the site, unless it is a campaign's.",
    )
    viewer = TenantForeignKey(Member, on_delete=models.CASCADE)
    sent_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    dismissed_at = models.DateTimeField(null=True, blank=True, help_text="It is not shown to the viewer any more.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "campaign", "viewer"], name="a_campaign_is_told_to_a_viewer_once"
            ),
            models.UniqueConstraint(
                fields=["tenant", "viewer", "about"], condition=~Q(about=""), name="a_member_is_told_about_a_thing_once"
            ),
            models.CheckConstraint(
                condition=Q(campaign__isnull=False, about="") | (Q(campaign=None) & ~Q(about="")),
                name="a_notice_is_a_campaigns_or_about_something",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "viewer", "-id"], name="notice_viewer")]

    def __str__(self) -> str:
        return f"{self.campaign_id or self.about}: {self.viewer_id}"

    def told_in(self, language: str) -> str:
        """Return what it says in the language."""
        if self.campaign:
            said: str = self.campaign.told_in(language)
            return said
        return self.text_zh if language.startswith("zh") else self.text_en

    @property
    def leads_to(self) -> str:
        return self.campaign.link if self.campaign else self.link


class NoticeRefusal(TenantOwned):
    """A viewer wants no campaign to tell them anything."""

    viewer = TenantForeignKey(Member, on_delete=models.CASCADE)
    refused_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "viewer"], name="a_viewer_refuses_notices_once")]

    def __str__(self) -> str:
        return str(self.viewer_id)
