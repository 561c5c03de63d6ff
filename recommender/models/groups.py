"""Viewers who are as some rules say."""

from django.db import models

from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class ViewerGroup(TenantOwned):
    """All viewers of whom each of the rules holds, whenever they are asked for. What it says never changes."""

    name = models.SlugField(max_length=60)
    rules = models.JSONField(help_text="Each has a kind, and what the kind needs; all of them hold.")
    at_least = models.PositiveIntegerField(help_text="Viewers, when it was made; rounded down.")
    made_by = TenantForeignKey(Member)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="a_name_is_one_group_of_viewers"),
            AppendOnly(name="a_group_of_viewers_never_changes"),
        ]

    def __str__(self) -> str:
        return self.name
