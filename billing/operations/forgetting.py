"""Forgetting what members pay by: charged no more from that moment on, then the provider lets go of it."""

from datetime import datetime, timedelta

from django.db import transaction

from billing import providers
from billing.models import InstalmentPlan, PaymentMethod, Subscription
from billing.operations.backoff import again
from billing.operations.crash import crash_here
from billing.operations.memberships import held_all, noted
from billing.operations.methods import State, held_method
from billing.operations.parts import OWING, held_plans, moved
from kpplatform.errors import Forbidden
from kpplatform.jobs.operations import enqueue
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant

NOTHING = "its method was removed: there is nothing to charge"
FIRST_RETRY, LATEST_RETRY = timedelta(seconds=30), timedelta(hours=1)


class NotYourMethod(Forbidden):
    code = "not_your_method"


@transaction.atomic
def remove_method(*, method: PaymentMethod, by: Member, at: datetime) -> PaymentMethod:
    """Charge this no more, and have the provider let go of it. Removed again, nothing happens.

    What is under way is only asked about. Memberships and plans that it paid for go on until the next payment, and say
    that there is nothing to charge it to. Raises NotYourMethod. Locks: memberships → plans → method.
    """
    if method.member_id != by.pk:
        raise NotYourMethod("Only who has saved it removes it.")
    renewing = Subscription.objects.filter(method=method, ended_at=None, renews=True)
    memberships = held_all(renewing.values_list("pk", flat=True)).values()
    owing = InstalmentPlan.objects.filter(method=method, state__in=OWING)
    plans = held_plans(owing.values_list("pk", flat=True)).values()
    method = held_method(method)
    if method.state == State.REMOVED:
        return method
    method.state, method.removed_at, method.checkout_url = State.REMOVED, at, ""
    method.save(update_fields=["state", "removed_at", "checkout_url"])
    for of in memberships:
        noted(of, "method_removed", at=at, by=by, before=of.state, why=NOTHING)
    for plan in plans:
        moved(plan, InstalmentPlan.State(plan.state), at=at, by=by, why=NOTHING)
    if method.reference:
        enqueue("billing.tasks.forget_method", method_id=method.pk)
    return method


@transaction.atomic
def forget_method(*, method: PaymentMethod, at: datetime) -> None:
    """Have the provider let go of a method that was removed. While it does not answer, ask again later."""
    method = held_method(method)
    if method.state != State.REMOVED or method.forgotten_at or not method.reference:
        return
    try:
        providers.charging_provider(current_tenant(), method.provider).forget(method=method.reference)
    except (providers.ProviderUnavailable, providers.NotConnected, providers.CannotCharge):
        later = again(at=at, since=method.removed_at or at, first=FIRST_RETRY, latest=LATEST_RETRY)
        enqueue("billing.tasks.forget_method", due_at=later, method_id=method.pk)
        return
    crash_here("after_forget_call")
    method.forgotten_at = at
    method.save(update_fields=["forgotten_at"])
