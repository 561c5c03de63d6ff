"""What members pay by without being asked again: agreed to at the provider's, kept there."""

from datetime import datetime
from uuid import uuid4

from django.db import transaction

from billing import providers
from billing.models import PaymentMethod
from billing.operations.crash import crash_here
from billing.operations.payments import FIRST_QUESTION, LATEST_QUESTION, webhook_url
from kpplatform.errors import Conflict
from kpplatform.jobs.operations import enqueue
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant

State = PaymentMethod.State


class MethodNeeded(Conflict):
    code = "method_needed"


def ask_method(*, viewer: Member, at: datetime) -> PaymentMethod:
    """Make ready to save what the member will pay by: its key is kept before the provider is asked.

    Raises CannotCharge where the tenant's provider keeps nothing.
    """
    provider = providers.checkout_provider()
    providers.charging_provider(current_tenant(), provider)
    return PaymentMethod.objects.create(member=viewer, provider=provider, key=f"set_{uuid4().hex}", made_at=at)


@transaction.atomic
def open_method(*, method: PaymentMethod, return_url: str = "", at: datetime) -> PaymentMethod:
    """Open the provider's page where the member agrees. However often it is asked, there is one."""
    method = held_method(method)
    if method.state != State.NEW:
        return method
    crash_here("before_provider_call")
    page = providers.charging_provider(current_tenant(), method.provider).create_setup(
        key=method.key,
        member=str(method.member_id),
        currency=current_tenant().currency,
        webhook_url=webhook_url(method.provider),
        return_url=return_url,
    )
    crash_here("after_provider_call")
    method.checkout_url, method.state = page.url, State.OPEN
    method.save(update_fields=["checkout_url", "state"])
    enqueue("billing.tasks.resolve_method", due_at=at + FIRST_QUESTION, method_id=method.pk)
    return method


@transaction.atomic
def save_method(*, method: PaymentMethod, reference: str) -> bool:
    """Note that the provider keeps what the member agreed to. False if that is known."""
    method = held_method(method)
    if method.state == State.REMOVED and not method.reference:
        # It was agreed to on a page that was open when it was removed.
        method.reference = reference
        method.save(update_fields=["reference"])
        enqueue("billing.tasks.forget_method", method_id=method.pk)
    if method.state not in {State.NEW, State.OPEN}:
        return False
    method.reference, method.state = reference, State.SAVED
    method.save(update_fields=["reference", "state"])
    return True


@transaction.atomic
def resolve_method(*, method: PaymentMethod, at: datetime) -> None:
    """Ask the provider whether the member has agreed; else ask again later, for a day."""
    if method.state not in {State.NEW, State.OPEN}:
        return
    try:
        provider = providers.charging_provider(current_tenant(), method.provider)
        page = provider.query(key=method.key, reference="", order=str(method.member_id))
    except (providers.ProviderUnavailable, providers.ProviderRefused, providers.NotConnected):
        page = None
    if page and page.method:
        save_method(method=method, reference=page.method)
    elif (age := at - method.made_at) < LATEST_QUESTION:
        enqueue("billing.tasks.resolve_method", due_at=at + max(age, FIRST_QUESTION), method_id=method.pk)


def held_method(method: PaymentMethod) -> PaymentMethod:
    """Return the method as it is now; nobody else changes it before the transaction ends."""
    return PaymentMethod.objects.select_for_update(no_key=True).get(pk=method.pk)


def usable(method: PaymentMethod | None) -> bool:
    """Tell whether it can be charged."""
    return method is not None and method.can_be_charged


def must_be_usable(method: PaymentMethod | None, *, by: Member) -> PaymentMethod:
    """Return the member's saved method. Raises MethodNeeded for none, for somebody else's and for a refused one."""
    if method is None or method.member_id != by.pk or not usable(method):
        raise MethodNeeded("Something to pay by has to be saved first.")
    return method
