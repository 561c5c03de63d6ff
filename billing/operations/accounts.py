"""Through whom the tenant is paid: its own accounts with providers, and where new orders are paid."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from billing import providers
from billing.models import ProviderAccount, ProviderChange
from kpplatform.errors import Forbidden, Invalid
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant, current_tenant_id


class AdminsOnly(Forbidden):
    code = "admins_only"


class UnknownCredential(Invalid):
    code = "unknown_credential"


class MissingCredential(Invalid):
    code = "missing_credential"


class BadCredential(Invalid):
    code = "bad_credential"


@transaction.atomic
def connect_provider(
    *, by: Member, provider: str, public: Mapping[str, str], secrets: Mapping[str, str], at: datetime
) -> ProviderAccount:
    """Keep the tenant's credentials with a provider, sealed; what is not given stays as it was.

    Raises AdminsOnly, UnknownCredential, MissingCredential and BadCredential.
    """
    _must_be_admin(by)
    fields = providers.FIELDS.get(provider)
    if fields is None:
        raise UnknownCredential(f"There is no provider {provider}.")
    if wrong := (public.keys() - {*fields.public, *fields.optional}) | (secrets.keys() - set(fields.secret)):
        raise UnknownCredential(f"{provider} has no {', '.join(sorted(wrong))}.")
    account = _held(provider)
    known = providers.unseal(bytes(account.secrets), tenant_id=current_tenant_id()) if account.pk else {}
    told, kept = account.public | dict(public), known | dict(secrets)
    if missing := [name for name in (*fields.public, *fields.secret) if not (told | kept).get(name)]:
        raise MissingCredential(f"{provider} needs {', '.join(missing)}.")
    try:
        providers.connected(provider, account=current_tenant().slug, public=told, secrets=kept)
    except ValueError as error:
        raise BadCredential(f"{provider} could not work with that: {error}") from error
    account.public, account.secrets = told, providers.seal(kept, tenant_id=current_tenant_id())
    return _changed(account, by=by, fields=sorted([*public, *secrets]), at=at)


@transaction.atomic
def choose_checkout(*, by: Member, provider: str, at: datetime) -> ProviderAccount:
    """Have new orders paid through this provider; those that were placed keep theirs.

    Raises AdminsOnly and NotConnected.
    """
    _must_be_admin(by)
    account = _held(provider)
    if provider == providers.SANDBOX:
        providers.provider_for(current_tenant(), provider)
    elif not account.pk:
        raise providers.NotConnected(f"There is no account with {provider} here.")
    if account.is_checkout:
        return account
    ProviderAccount.objects.filter(is_checkout=True).update(is_checkout=False)
    account.is_checkout = True
    return _changed(account, by=by, fields=["is_checkout"], at=at)


@transaction.atomic
def reseal_credentials() -> int:
    """Seal all of the tenant's credentials with the first key, so that the others can be left out; say how many."""
    accounts = list(ProviderAccount.objects.select_for_update(no_key=True).order_by("pk"))
    for account in accounts:
        secrets = providers.unseal(bytes(account.secrets), tenant_id=current_tenant_id())
        account.secrets = providers.seal(secrets, tenant_id=current_tenant_id())
        account.save(update_fields=["secrets"])
    return len(accounts)


def _must_be_admin(by: Member) -> None:
    if by.role != Member.Role.ADMIN:
        raise AdminsOnly("Only the tenant's admins say through whom it is paid.")


def _held(provider: str) -> ProviderAccount:
    """Return the tenant's account, which nobody else changes before the transaction ends, or a new one."""
    held = list(ProviderAccount.objects.select_for_update(no_key=True).order_by("pk"))
    known = next((account for account in held if account.provider == provider), None)
    return known or ProviderAccount(provider=provider, secrets=providers.seal({}, tenant_id=current_tenant_id()))


def _changed(account: ProviderAccount, *, by: Member, fields: list[str], at: datetime) -> ProviderAccount:
    account.changed_by, account.changed_at = by, at
    account.save()
    ProviderChange.objects.create(account=account, by=by, fields=fields, changed_at=at)
    return account
