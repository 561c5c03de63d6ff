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
    """Raise TakenDown where staff took the item down and its creator would show it again, be they staff themselves.

    Staff who show it again lift the ruling by that, and uphold the appeal that waits.
    """
    ruling = Ruling.objects.filter(item=item, effect=Ruling.Effect.WITHDRAWN, lifted_at=None).first()
    if ruling is None:
        return
    if not by.runs_the_tenant or item.creator.member_id == by.pk:
        raise TakenDown("Staff took it down: appeal against that, and it is shown again if they agree.")
    Ruling.objects.filter(pk=ruling.pk).update(lifted_at=at)
    waiting = Appeal.objects.filter(ruling=ruling, answered_at=None)
    if waiting.update(is_upheld=True, answered_by=by, answered_at=at):
        enqueue(TELL, key=TELL)


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

    Raises NotYourRuling, NothingToAppeal and AnsweredAlready. Locks: item, as publishing does → appeal.
    """
    items = Item.objects.select_related("creator").select_for_update(of=("self",), no_key=True)
    item = items.get(pk=ruling.item_id)
    ruling.refresh_from_db(fields=["lifted_at"])
    _must_judge(ruling, item, by)
    found = Appeal.objects.select_for_update(no_key=True).filter(ruling=ruling).first()
    if found is None:
        raise NothingToAppeal("Nobody has appealed against it.")
    if found.answered_at:
        raise AnsweredAlready("It was answered already.")
    if ruling.lifted_at:
        raise NothingToAppeal("The ruling was lifted.")
    found.is_upheld, found.answer, found.answered_by, found.answered_at = is_upheld, answer, by, at
    found.save(update_fields=["is_upheld", "answer", "answered_by", "answered_at"])
    if is_upheld:
        _lift(ruling, item, at=at)
    enqueue(TELL, key=TELL)
    return found


def _must_judge(ruling: Ruling, item: Item, by: Member) -> None:
    """Raise NotYourRuling unless staff judge who neither made the item nor ruled; who runs the tenant alone may."""
    if not by.runs_the_tenant:
        raise NotYourRuling("Only the tenant's staff answer appeals.")
    if item.creator.member_id == by.pk:
        raise NotYourRuling("Nobody answers their own appeal.")
    involved = {by.pk, item.creator.member_id}
    others = Member.objects.filter(role__in=[Member.Role.STAFF, Member.Role.ADMIN], suspended_at=None)
    if ruling.by_id == by.pk and others.filter(user__isnull=False).exclude(pk__in=involved).exists():
        raise NotYourRuling("Somebody else than who ruled answers the appeal.")


def _lift(ruling: Ruling, item: Item, *, at: datetime) -> None:
    """End a ruling; an item that was taken down and had its time is there again, as of that time."""
    ruling.lifted_at = at
    ruling.save(update_fields=["lifted_at"])
    if ruling.effect == Ruling.Effect.WITHDRAWN and item.state == Item.State.WITHDRAWN and item.published_at:
        item.state = Item.State.PUBLISHED if item.published_at <= at else Item.State.SCHEDULED
        item.save(update_fields=["state", "updated_at"])
