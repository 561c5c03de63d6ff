"""Ruling that an item breaks a rule, and what its creator may say to that. Who is ruled against is told by a job."""

from collections.abc import Collection
from datetime import datetime

from django.db import IntegrityError, transaction

from catalog.models import Appeal, Item, Ruling
from catalog.queries import no_copies
from kpplatform.errors import Conflict, Forbidden
from kpplatform.jobs.operations import enqueue
from kpplatform.tenancy.models import Member

TELL = "recommender.tasks.tell_creators"
AT_ONCE = 2_000


class NotYourRuling(Forbidden):
    code = "not_your_ruling"


class TakenDown(Conflict):
    code = "taken_down"


class NothingToAppeal(Conflict):
    code = "nothing_to_appeal"


class AnsweredAlready(Conflict):
    code = "answered_already"


def note_withdrawn(*, item: Item, rule: Ruling.Rule, why: str, by: Member, at: datetime) -> Ruling | None:
    """Write down that staff took the item down, and have its creator told; None for one's own item."""
    if item.creator.member_id == by.pk:
        return None
    ruling = Ruling.objects.create(item=item, rule=rule, effect=Ruling.Effect.WITHDRAWN, why=why, by=by, ruled_at=at)
    enqueue(TELL, key=TELL)
    return ruling


def must_not_be_taken_down(item: Item, by: Member, *, at: datetime) -> None:
    """Raise TakenDown where staff took the item down and its creator would show it again; staff lift the ruling."""
    standing = Ruling.objects.filter(item=item, effect=Ruling.Effect.WITHDRAWN, lifted_at=None)
    if by.runs_the_tenant:
        standing.update(lifted_at=at)
    elif standing.exists():
        raise TakenDown("Staff took it down: appeal against that, and it is shown again if they agree.")


@transaction.atomic
def rule_copies(*, items: Collection[int], at: datetime) -> int:
    """Note which published items say nearly the same as older ones, lift what is no longer so; return how many are new.

    What staff once found to be no copy is not ruled to be one again.
    """
    copies = Ruling.objects.filter(rule=Ruling.Rule.COPY, effect=Ruling.Effect.LAST)
    copies.filter(lifted_at=None).exclude(item__in=items).update(lifted_at=at)
    known = copies.filter(item__in=items)
    settled = {*known.filter(lifted_at=None).values_list("item", flat=True), *no_copies()}
    new = [
        Ruling(item_id=item, rule=Ruling.Rule.COPY, effect=Ruling.Effect.LAST, ruled_at=at)
        for item in items
        if item not in settled
    ]
    Ruling.objects.bulk_create(new, batch_size=AT_ONCE)
    if new:
        enqueue(TELL, key=TELL)
    return len(new)


@transaction.atomic
def appeal(*, ruling: Ruling, by: Member, text: str, at: datetime) -> Appeal:
    """Say why a ruling is wrong, as the item's creator. Raises NotYourRuling and NothingToAppeal."""
    if ruling.item.creator.member_id != by.pk:
        raise NotYourRuling("Only the item's creator appeals.")
    if ruling.lifted_at:
        raise NothingToAppeal("The ruling was lifted.")
    try:
        with transaction.atomic():
            return Appeal.objects.create(ruling=ruling, text=text, appealed_at=at)
    except IntegrityError as error:
        raise NothingToAppeal("There is an appeal against it already.") from error


@transaction.atomic
def answer_appeal(*, ruling: Ruling, by: Member, is_upheld: bool, answer: str, at: datetime) -> Appeal:
    """Answer as the tenant's staff; what is upheld lifts the ruling, and what was taken down is shown again.

    Raises NotYourRuling, NothingToAppeal and AnsweredAlready.
    """
    if not by.runs_the_tenant:
        raise NotYourRuling("Only the tenant's staff answer appeals.")
    found = Appeal.objects.select_for_update(no_key=True).filter(ruling=ruling).first()
    if found is None:
        raise NothingToAppeal("Nobody has appealed against it.")
    if found.answered_at:
        raise AnsweredAlready("It was answered already.")
    found.is_upheld, found.answer, found.answered_by, found.answered_at = is_upheld, answer, by, at
    found.save(update_fields=["is_upheld", "answer", "answered_by", "answered_at"])
    if is_upheld:
        _lift(ruling, at=at)
    enqueue(TELL, key=TELL)
    return found


def _lift(ruling: Ruling, *, at: datetime) -> None:
    """End a ruling; an item that was taken down and had been published is there again, as of when it was."""
    if not Ruling.objects.filter(pk=ruling.pk, lifted_at=None).update(lifted_at=at):
        return
    if ruling.effect == Ruling.Effect.WITHDRAWN:
        gone = Item.objects.filter(pk=ruling.item_id, state=Item.State.WITHDRAWN, published_at__isnull=False)
        gone.update(state=Item.State.PUBLISHED, updated_at=at)
