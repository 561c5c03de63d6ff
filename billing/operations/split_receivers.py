"""To whom providers give creators' parts: sealed when it is written down, made known to the provider by a job."""

from datetime import datetime, timedelta

from django.db import transaction

from billing import providers
from billing.models import SplitReceiver
from billing.operations.backoff import again
from billing.operations.payout_accounts import BadAccount, NotYourMoney
from billing.providers import Receiver, vault
from creators.models import Creator
from kpplatform.jobs.operations import enqueue
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant, current_tenant_id

LEAST = 4
FIRST_QUESTION, LATEST_QUESTION = timedelta(minutes=1), timedelta(hours=1)


@transaction.atomic
def set_split_receiver(
    *, creator: Creator, by: Member, provider: str, kind: str, to: Receiver, at: datetime
) -> SplitReceiver:
    """Have the provider give the creator's part to this account of theirs from now on.

    Raises NotYourMoney, BadAccount, and NotConnected where the tenant has no account with that provider.
    """
    if creator.member_id != by.pk and not by.runs_the_tenant:
        raise NotYourMoney("Only the creator and the tenant's staff say where a creator is paid.")
    are_words = all(word.strip() and word.isprintable() for word in (to.account, to.name))
    if provider not in providers.SPLITTING or len(to.account) < LEAST or not are_words:
        raise BadAccount("A receiver has an account with a provider that divides payments, and a name.")
    providers.split_at(current_tenant(), provider)
    Creator.objects.select_for_update(no_key=True).get(pk=creator.pk)
    SplitReceiver.objects.filter(creator=creator, provider=provider, withdrawn_at=None).update(withdrawn_at=at)
    details = vault.seal({"account": to.account, "name": to.name}, tenant_id=current_tenant_id())
    told = {"kind": kind, "details": details, "hint": to.account[-LEAST:], "made_by": by, "made_at": at}
    receiver = SplitReceiver.objects.create(creator=creator, provider=provider, **told)
    enqueue("billing.tasks.register_receiver", receiver_id=receiver.pk)
    return receiver


@transaction.atomic
def register_receiver(*, receiver: SplitReceiver, at: datetime) -> None:
    """Make a receiver known to the provider; known already, nothing happens. If it does not answer, try again later."""
    receiver = SplitReceiver.objects.select_for_update(no_key=True).get(pk=receiver.pk)
    if receiver.registered_at or receiver.withdrawn_at:
        return
    try:
        providers.split_at(current_tenant(), receiver.provider).add_receiver(receiver=receiver_of(receiver))
    except providers.ProviderUnavailable:
        due = again(at=at, since=receiver.made_at, first=FIRST_QUESTION, latest=LATEST_QUESTION)
        enqueue("billing.tasks.register_receiver", due_at=due, receiver_id=receiver.pk)
        return
    except providers.ProviderRefused as error:
        receiver.refusal = error.detail[:200]
    else:
        receiver.registered_at, receiver.refusal = at, ""
    receiver.save(update_fields=["registered_at", "refusal"])


def receiver_of(receiver: SplitReceiver) -> Receiver:
    """Return whom the provider gives something."""
    told = vault.unseal(bytes(receiver.details), tenant_id=current_tenant_id())
    return Receiver(told["account"], told["name"], is_person=receiver.kind == SplitReceiver.Kind.PERSON)
