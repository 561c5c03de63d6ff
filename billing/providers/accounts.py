"""Which providers there are, what each needs to know, and the scope's tenant's own account with one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.conf import settings

from billing.models import ProviderAccount
from billing.providers.alipay import CERTIFICATES, Alipay
from billing.providers.bills.alipay import AlipayReports
from billing.providers.bills.stripe import StripeReports
from billing.providers.bills.wechatpay import WechatReports
from billing.providers.offline import Offline
from billing.providers.protocol import CannotCharge, ChargingProvider, Provider
from billing.providers.rails import Rail
from billing.providers.reports import Reporting
from billing.providers.sandbox.driver import Sandbox
from billing.providers.stripe import Stripe
from billing.providers.transfers.alipay import AlipayRail
from billing.providers.transfers.stripe import StripeRail
from billing.providers.transfers.wechatpay import WechatRail
from billing.providers.vault import unseal
from billing.providers.wechatpay import Wechat
from kpplatform.errors import Conflict, NotFound
from kpplatform.tenancy.models import Tenant

Name = ProviderAccount.Provider


class NotConnected(NotFound):
    code = "provider_not_connected"


class NoProvider(Conflict):
    """Nobody would be paid: the tenant has connected no provider, and the sandbox takes no part here."""

    code = "no_provider"


@dataclass(frozen=True)
class Fields:
    """What a provider's account consists of: names of what may be seen, of what may not, and of what need not be."""

    public: tuple[str, ...] = ()
    secret: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()  # may be seen as well


FIELDS: Mapping[str, Fields] = {
    Name.SANDBOX: Fields(),
    Name.STRIPE: Fields(secret=("api_key", "webhook_secret")),
    Name.WECHATPAY: Fields(
        public=("appid", "mchid", "cert_serial_no", "public_key_id", "public_key"),
        secret=("private_key", "apiv3_key"),
        optional=("transfer_scene_id", "transfer_report"),
    ),
    Name.OFFLINE: Fields(public=("instructions", "four_eyes_above")),
    Name.ALIPAY: Fields(
        public=("appid", "seller_id"), secret=("private_key",), optional=("alipay_public_key", *CERTIFICATES)
    ),
}
OFFLINE = Name.OFFLINE.value
DRIVERS: Mapping[str, Callable[..., Provider]] = {
    Name.SANDBOX: Sandbox,
    Name.STRIPE: Stripe,
    Name.WECHATPAY: Wechat,
    Name.ALIPAY: Alipay,
    Name.OFFLINE: Offline,
}


def connected(name: str, *, account: str, public: Mapping[str, str], secrets: Mapping[str, str]) -> Provider:
    """Return the driver with these credentials. Raises ValueError when one of them cannot be read."""
    return DRIVERS[name](account=account, **public, **secrets)


def provider_for(tenant: Tenant, name: str) -> Provider:
    """Return the provider of this name, acting in the tenant's account.

    Everybody has one with the sandbox, where SANDBOX_CHECKOUT lets it take part at all. Call inside the tenant's
    scope. Raises NotConnected.
    """
    if name == Name.SANDBOX and settings.SANDBOX_CHECKOUT:
        return Sandbox(account=tenant.slug)
    account = ProviderAccount.objects.filter(provider=name).first()
    if account is None:
        raise NotConnected(f"There is no account with {name} here.")
    secrets = unseal(bytes(account.secrets), tenant_id=tenant.pk)
    return connected(name, account=tenant.slug, public=account.public, secrets=secrets)


def checkout_provider() -> str:
    """Return where the scope's tenant is paid: the provider it has chosen, or else the sandbox.

    Raises NoProvider where that is the sandbox and SANDBOX_CHECKOUT is off: what is sold there is given away.
    """
    chosen = ProviderAccount.objects.filter(is_checkout=True).values_list("provider", flat=True).first()
    name = chosen or Name.SANDBOX.value
    if name == Name.SANDBOX and not settings.SANDBOX_CHECKOUT:
        raise NoProvider("Nothing can be bought here yet: no payment provider is connected.")
    return name


def charging_provider(tenant: Tenant, name: str) -> ChargingProvider:
    """Return the provider of this name, which charges what members have saved. Raises CannotCharge, NotConnected."""
    provider = provider_for(tenant, name)
    if not isinstance(provider, ChargingProvider):
        raise CannotCharge(f"{name} keeps nothing to be charged later.")
    return provider


def rail_of(tenant: Tenant, name: str) -> Rail:
    """Return the rail of this name, acting in the tenant's account there.

    Raises NotConnected for what is none, and where the account lacks what paying people takes.
    """
    provider = provider_for(tenant, name)
    if isinstance(provider, Sandbox):
        return provider
    if isinstance(provider, Stripe):
        return StripeRail(provider)
    if isinstance(provider, Wechat) and provider.transfer_scene_id:
        return WechatRail(provider)
    if isinstance(provider, Alipay) and provider.has_certificates:
        return AlipayRail(provider)
    raise NotConnected(f"Nobody is paid out by {name} here.")


def reports_of(tenant: Tenant, name: str) -> Reporting | None:
    """Return what fetches the reports of this provider; none where there are none, or no account any more."""
    try:
        provider = provider_for(tenant, name)
    except NotConnected:
        return None
    if isinstance(provider, Sandbox):
        return provider
    if isinstance(provider, Stripe):
        return StripeReports(provider)
    if isinstance(provider, Wechat):
        return WechatReports(provider)
    return AlipayReports(provider) if isinstance(provider, Alipay) else None
