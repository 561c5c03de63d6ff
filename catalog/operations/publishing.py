"""Whether others see an item: draft → scheduled → published → withdrawn, and back.

Publishing is a time. What is scheduled is seen from then on, without anybody doing anything.
"""

from datetime import datetime

from django.db import transaction

from catalog.models import LIVE_STATES, Item, Ruling, Section
from catalog.operations.items import NotYours, must_own
from catalog.operations.rulings import must_not_be_taken_down, note_withdrawn
from kpplatform.errors import Conflict, Invalid
from kpplatform.tenancy.models import Member

State = Item.State
# From which states each may be done.
MOVES = {
    State.PUBLISHED: {State.DRAFT, State.SCHEDULED, State.WITHDRAWN},
    State.SCHEDULED: {State.DRAFT, State.SCHEDULED, State.WITHDRAWN},
    State.WITHDRAWN: {State.DRAFT, State.SCHEDULED, State.PUBLISHED},
}


class WrongState(Conflict):
    code = "wrong_state"


class NothingToPublish(Conflict):
    code = "nothing_to_publish"


class NotInTheFuture(Invalid):
    code = "not_in_the_future"


@transaction.atomic
def publish(*, item: Item, by: Member, at: datetime) -> Item:
    """Show the item to everybody, now.

    Raises NotYours, WrongState, TakenDown, and NothingToPublish for an empty course.
    """
    return _move(item, by=by, to=State.PUBLISHED, published_at=at, at=at)


@transaction.atomic
def schedule(*, item: Item, by: Member, published_at: datetime, at: datetime) -> Item:
    """Show the item to everybody from then on.

    Raises NotYours, WrongState, TakenDown, NothingToPublish, and NotInTheFuture.
    """
    if published_at <= at:
        raise NotInTheFuture("What is to be seen at once is published, not scheduled.")
    return _move(item, by=by, to=State.SCHEDULED, published_at=published_at, at=at)


@transaction.atomic
def withdraw(*, item: Item, by: Member, at: datetime) -> Item:
    """Show the item to nobody any more; its creator is told if staff do it. Raises NotYours and WrongState."""
    moved = _move(item, by=by, to=State.WITHDRAWN, published_at=item.published_at, at=at)
    note_withdrawn(item=moved, rule=Ruling.Rule.OTHER, why="", by=by, at=at)
    return moved


@transaction.atomic
def take_down(*, item: Item, rule: Ruling.Rule, why: str = "", by: Member, at: datetime) -> Ruling:
    """Show the item to nobody any more, for it breaks a rule, as the tenant's staff; its creator is told which one.

    Raises NotYours, also for one's own item, and WrongState.
    """
    if not by.runs_the_tenant or item.creator.member_id == by.pk:
        raise NotYours("Staff take down what others made.")
    moved = _move(item, by=by, to=State.WITHDRAWN, published_at=item.published_at, at=at)
    ruling = note_withdrawn(item=moved, rule=rule, why=why, by=by, at=at)
    assert ruling, "It is not their own."
    return ruling


def _move(item: Item, *, by: Member, to: Item.State, published_at: datetime | None, at: datetime) -> Item:
    must_own(item, by)
    item = Item.objects.select_related("creator", "topic").select_for_update(of=("self",), no_key=True).get(pk=item.pk)
    now = State.PUBLISHED if item.is_live(at) else State(item.state)
    if now not in MOVES[to]:
        raise WrongState(f"What is {now} cannot become {to}.")
    if to in LIVE_STATES:
        must_not_be_taken_down(item, by, at=at)
    is_empty = item.kind == Item.Kind.COURSE and not Section.objects.filter(course=item, lessons__isnull=False).exists()
    if to in LIVE_STATES and is_empty:
        raise NothingToPublish("A course needs a lesson before others see it.")
    item.state, item.published_at = to, published_at
    item.save(update_fields=["state", "published_at", "updated_at"])
    return item
