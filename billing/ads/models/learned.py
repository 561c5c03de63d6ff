"""What was learned of clicks."""

from django.db import models

from kpplatform.tenancy.owned import TenantOwned


class ChanceModel(TenantOwned):
    """How counted rates and tastes become the chance of a click: fitted to some days, judged on the next."""

    offset = models.FloatField()
    slope = models.FloatField()
    taste = models.FloatField()
    everyone = models.FloatField(help_text="Clicks a view, of all.")
    views = models.PositiveIntegerField(help_text="What it was fitted to.")
    judged_views = models.PositiveIntegerField()
    error = models.FloatField(null=True, help_text="Mean distance of foretold and happened on the later views.")
    counted_error = models.FloatField(null=True, help_text="The same of what was counted alone.")
    fitted_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["tenant", "-fitted_at", "-id"], name="ad_chances_newest")]

    def __str__(self) -> str:
        return f"{self.fitted_at:%Y-%m-%d}"
