"""Who watches a creator, counted; and what of it was told with noise."""

from django.db import models
from django.db.models import Q

from creators.models import Creator
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned
from recommender.models.portraits import PortraitRun


class Audience(TenantOwned):
    """The viewers of a creator within so many days, counted exactly. Told only where enough of them are alike."""

    creator = TenantForeignKey(Creator, on_delete=models.CASCADE)
    days = models.PositiveSmallIntegerField()
    viewers = models.PositiveIntegerField()
    counts = models.JSONField(help_text="Viewers by topic, hour, segment and visit: in each, a viewer counts once.")
    run = TenantForeignKey(PortraitRun, on_delete=models.CASCADE)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "creator", "days"], name="an_audience_is_counted_once")
        ]

    def __str__(self) -> str:
        return f"{self.creator_id}, {self.days}"


class NoisyAnswer(TenantOwned):
    """What was told of an audience with noise, and how much of the period's privacy that took.

    The same question in the same period is answered with this row again: asking often averages nothing out.
    """

    creator = TenantForeignKey(Creator, on_delete=models.CASCADE)
    period = models.DateField(help_text="The first day of the month.")
    days = models.PositiveSmallIntegerField()
    epsilon = models.FloatField(help_text="Of all of its counts together.")
    counts = models.JSONField()
    answered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "creator", "period", "days", "epsilon"], name="a_question_is_answered_once"
            ),
            models.CheckConstraint(condition=Q(epsilon__gt=0), name="an_answer_costs_privacy"),
        ]

    def __str__(self) -> str:
        return f"{self.creator_id}, {self.period:%Y-%m}: ε = {self.epsilon:g}"
