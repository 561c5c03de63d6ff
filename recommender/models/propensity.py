"""How good the chances are that portraits tell."""

from django.db import models

from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned
from recommender.models.portraits import PortraitRun


class PropensityReport(TenantOwned):
    """How well leaving, or buying, was foreseen on the last days, by what had been learned before them."""

    class Outcome(models.TextChoices):
        CHURN = "churn"
        PURCHASE = "purchase"

    run = TenantForeignKey(PortraitRun, on_delete=models.CASCADE)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    days = models.PositiveSmallIntegerField(help_text="How far it looks ahead.")
    reason = models.CharField(max_length=40, blank=True, help_text="Why there are no chances.")
    auc = models.FloatField(null=True, blank=True)
    brier = models.FloatField(null=True, blank=True)
    ece = models.FloatField(null=True, blank=True, help_text="How far the chances are from what came, on average.")
    base_rate = models.FloatField(null=True, blank=True, help_text="To how many it happened.")
    judged = models.PositiveIntegerField(default=0, help_text="Viewers.")
    bins = models.JSONField(default=list, help_text="Foretold, observed, viewers: from the lowest chances up.")
    weights = models.JSONField(default=dict, help_text="What speaks for it and what against, per deviation.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "run", "outcome"], name="a_run_reports_an_outcome_once"),
            models.CheckConstraint(
                condition=models.Q(auc=None) ^ models.Q(reason=""), name="no_report_without_figures_or_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} {self.run_id}"
