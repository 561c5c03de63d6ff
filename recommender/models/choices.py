"""What viewers decide about their feed."""

from django.db import models
from django.db.models import Q

from catalog.models import Topic
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class InterestChoice(TenantOwned):
    """A viewer says that they want to see a topic or a tag, or that they do not; it outweighs what was found."""

    viewer = TenantForeignKey(Member, on_delete=models.CASCADE)
    name = models.CharField(max_length=70, help_text="topic:piano or tag:jazz, as in the portrait.")
    topic = TenantForeignKey(Topic, null=True, blank=True, on_delete=models.CASCADE, help_text="Where it is one.")
    is_wanted = models.BooleanField()
    chosen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "viewer", "name"], name="a_viewer_chooses_an_interest_once"),
            models.CheckConstraint(
                condition=Q(topic=None, name__startswith="tag:") | Q(topic__isnull=False, name__startswith="topic:"),
                name="an_interest_is_a_topic_or_a_tag",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PersonalisationRefusal(TenantOwned):
    """A viewer wants a feed that is the same for everybody, made from nothing that they did."""

    viewer = TenantForeignKey(Member, on_delete=models.CASCADE)
    refused_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "viewer"], name="a_viewer_closes_personalisation_once")
        ]

    def __str__(self) -> str:
        return str(self.viewer)


class TasteReset(TenantOwned):
    """A viewer begins anew: what they did before says nothing of their taste any more."""

    viewer = TenantForeignKey(Member, on_delete=models.CASCADE)
    reset_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "viewer"], name="a_viewer_begins_anew_at_one_time")]

    def __str__(self) -> str:
        return str(self.viewer)
