"""Which providers tell of disputes."""

from billing.providers.accounts import provider_for
from billing.providers.disputes.protocol import Disputing
from billing.providers.disputes.sandbox import SandboxDisputes
from billing.providers.disputes.stripe import StripeDisputes
from billing.providers.disputes.wechatpay import WechatComplaints
from billing.providers.sandbox.driver import Sandbox
from billing.providers.stripe import Stripe
from billing.providers.wechatpay import Wechat
from kpplatform.errors import NotFound
from kpplatform.tenancy.models import Tenant


class NoDisputes(NotFound):
    code = "no_disputes_there"


def disputes_at(tenant: Tenant, name: str) -> Disputing:
    """Return the provider of this name, as far as it tells of disputes. Raises NotConnected and NoDisputes."""
    driver = provider_for(tenant, name)
    if isinstance(driver, Sandbox):
        return SandboxDisputes(driver)
    if isinstance(driver, Stripe):
        return StripeDisputes(driver)
    if isinstance(driver, Wechat):
        return WechatComplaints(driver)
    raise NoDisputes(f"{name} tells of no disputes.")
