"""Holding payouts up, and letting them go again."""

from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction

from billing.models import Payout, PayoutAccount, PayoutHold
from creators.models import Creator
from kpplatform.errors import Conflict, Forbidden, Invalid
from kpplatform.jobs.operations import enqueue
from kpplatform.tenancy.models import Member


class StaffDecide(Forbidden):
    code = "staff_decide"


class HoldSaysNothing(Invalid):
    code = "hold_says_nothing"


class PayoutsHeld(Conflict):
    code = "payouts_held"


@transaction.atomic
def place_hold(
    *, creator: Creator, by: Member, reason: str, expected_on: date, required_action: str, at: datetime
) -> PayoutHold:
    """Pay nothing out to the creator until it is released; they see why, until when, and what to do.

    Raises StaffDecide and HoldSaysNothing.
    """
    must_run_the_tenant(by)
    if reason not in PayoutHold.Reason.values or not required_action.strip():
        raise HoldSaysNothing("A hold says why, and what the creator has to do.")
    Creator.objects.select_for_update(no_key=True).get(pk=creator.pk)
    told = {"reason": reason, "expected_on": expected_on, "required_action": required_action.strip()}
    return PayoutHold.objects.create(creator=creator, placed_by=by, placed_at=at, **told)


@transaction.atomic
def release_hold(*, hold: PayoutHold, by: Member, why: str, at: datetime) -> PayoutHold:
    """Let payouts go again, those first that were approved before. Released again, nothing happens.

    Raises StaffDecide.
    """
    must_run_the_tenant(by)
    creator = Creator.objects.select_for_update(no_key=True).get(pk=hold.creator_id)
    hold = PayoutHold.objects.get(pk=hold.pk)
    if hold.released_at is not None:
        return hold
    hold.released_by, hold.released_at, hold.why = by, at, why[:200]
    hold.save(update_fields=["released_by", "released_at", "why"])
    waiting = Payout.objects.filter(creator=creator, state=Payout.State.APPROVED)
    for payout in waiting.exclude(account__rail=PayoutAccount.Rail.BANK_FILE).order_by("pk"):
        enqueue("billing.tasks.send_payout", payout_id=payout.pk)
    return hold


def must_run_the_tenant(by: Member) -> None:
    """Raise StaffDecide for anybody else."""
    if not by.runs_the_tenant:
        raise StaffDecide("Only the tenant's staff decide on this.")


def is_held(creator_id: int) -> bool:
    """Tell whether nothing may be paid out; no hold is placed or released before the end of the transaction."""
    return bool(held_among([creator_id]))


def held_among(creators: Iterable[int]) -> set[int]:
    """Return to whom of several creators nothing may be paid out, until the end of the transaction."""
    keys = set(creators)
    list(Creator.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk").values_list("pk"))
    return set(PayoutHold.objects.filter(creator__in=keys, released_at=None).values_list("creator", flat=True))


def must_not_be_held(creator_id: int) -> None:
    """Raise PayoutsHeld while something holds the creator's payouts up."""
    if is_held(creator_id):
        raise PayoutsHeld("Payouts to this creator are held; see why among the holds.")
