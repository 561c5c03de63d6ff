"""Which providers divide payments."""

from contextlib import suppress
from dataclasses import replace

from billing.models import ProviderAccount
from billing.providers.accounts import NotConnected, provider_for
from billing.providers.protocol import Provider
from billing.providers.sandbox.driver import Sandbox
from billing.providers.splits.protocol import Splitting
from billing.providers.splits.sandbox import SandboxSplits
from billing.providers.splits.stripe import StripeSplits
from billing.providers.splits.wechatpay import WechatSplits
from billing.providers.stripe import Stripe
from billing.providers.wechatpay import Wechat
from kpplatform.tenancy.models import Tenant

SPLITTING = frozenset(
    name.value
    for name in (ProviderAccount.Provider.SANDBOX, ProviderAccount.Provider.STRIPE, ProviderAccount.Provider.WECHATPAY)
)


def split_at(tenant: Tenant, name: str) -> Splitting:
    """Return the provider of this name, as far as it divides payments. Raises NotConnected for others."""
    driver = provider_for(tenant, name)
    if isinstance(driver, Sandbox):
        return SandboxSplits(driver)
    if isinstance(driver, Stripe):
        return StripeSplits(driver)
    if isinstance(driver, Wechat):
        return WechatSplits(driver)
    raise NotConnected(f"{name} divides no payments.")


def splitting_for(tenant: Tenant) -> list[str]:
    """Return with which of the providers that divide payments the tenant is connected now."""
    names = []
    for name in sorted(SPLITTING):
        with suppress(NotConnected):
            split_at(tenant, name)
            names.append(name)
    return names


def marked(provider: Provider, *, is_split: bool) -> Provider:
    """Return the provider so that what it opens now can be divided later, where that has to be said beforehand."""
    return replace(provider, marks_orders=True) if is_split and isinstance(provider, Wechat) else provider
