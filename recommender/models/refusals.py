"""Who wants no portrait."""

from django.db import models

from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class PortraitRefusal(TenantOwned):
    """A viewer wants nothing drawn of them, and to be counted nowhere, until they say otherwise."""

    viewer = TenantForeignKey(Member, on_delete=models.CASCADE)
    refused_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "viewer"], name="a_viewer_refuses_once")]

    def __str__(self) -> str:
        return str(self.viewer)
