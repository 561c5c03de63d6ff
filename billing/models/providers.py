"""Through whom a tenant is paid, and who has changed that."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from kpplatform.tenancy.constraints import AppendOnly
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.owned import TenantForeignKey, TenantOwned


class ProviderAccount(TenantOwned):
    """A tenant's own account with a payment provider. Its secrets are stored sealed, and shown to nobody again."""

    class Provider(models.TextChoices):
        SANDBOX = "sandbox"
        STRIPE = "stripe"
        WECHATPAY = "wechatpay", "WeChat Pay"
        ALIPAY = "alipay"
        OFFLINE = "offline", "by bank, with a proof"

    provider = models.CharField(max_length=20, choices=Provider.choices)
    public = models.JSONField(default=dict, help_text="What need not be kept secret, by name.")
    secrets = models.BinaryField(help_text="What must, sealed with the installation's key.")
    is_checkout = models.BooleanField(default=False, help_text="New orders are paid here.")
    changed_by = TenantForeignKey(Member)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "provider"], name="a_provider_is_connected_once"),
            models.UniqueConstraint(
                fields=["tenant"], condition=Q(is_checkout=True), name="a_tenant_has_one_checkout_provider"
            ),
        ]

    def __str__(self) -> str:
        return self.provider


class ProviderChange(TenantOwned):
    """Somebody has changed a provider's account: which of its fields, never what was in them."""

    account = TenantForeignKey(ProviderAccount)
    by = TenantForeignKey(Member)
    fields = ArrayField(models.CharField(max_length=40), help_text="Which ones were set or taken away.")
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [AppendOnly(name="what_was_changed_of_a_provider_stays")]
        indexes = [models.Index(fields=["tenant", "account", "-id"], name="provider_change_newest")]

    def __str__(self) -> str:
        return f"{self.account}: {', '.join(self.fields)}"
