"""Letting viewers in. Billing calls this in the transactions in which it moves money."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from catalog import queries
from catalog.models import Access, Item, Lesson, Pass
from creators.models import Creator
from kpplatform.errors import PaymentNeeded
from kpplatform.tenancy.many import update_all
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.once import insert_once


class NotBought(PaymentNeeded):
    code = "not_bought"


@transaction.atomic
def grant_access(
    *, viewer: Member, item: Item, source: str, starts_at: datetime, ends_at: datetime | None = None
) -> Access:
    """Let the viewer watch the item, for the reason that `source` names, e.g. order:12.

    A source grants an item once: said again, it can only prolong it. What was revoked stays revoked, so that a
    message that comes late does not undo a refund.
    """
    insert_once(Access, viewer_id=viewer.pk, item_id=item.pk, source=source, starts_at=starts_at, ends_at=ends_at)
    access = Access.objects.select_for_update(no_key=True).get(viewer=viewer, item=item, source=source)
    if access.ends_at is not None and (ends_at is None or ends_at > access.ends_at):
        access.ends_at = ends_at
        access.save(update_fields=["ends_at"])
    return access


@transaction.atomic
def revoke_access(*, viewer: Member, item: Item, source: str, at: datetime) -> bool:
    """Take back what the source granted of this item; tell whether there was something to take back."""
    granted = Access.objects.filter(viewer=viewer, item=item, source=source, revoked_at=None)
    return bool(granted.update(revoked_at=at))


@transaction.atomic
def revoke_source(*, viewer: Member, source: str, at: datetime) -> int:
    """Take back all that the source granted, and return of how many grants."""
    granted = {"viewer": viewer, "source": source, "revoked_at": None}
    return sum(kind.objects.filter(**granted).update(revoked_at=at) for kind in (Access, Pass))


@transaction.atomic
def grant_pass(*, viewer: Member, creator: Creator | None, source: str, starts_at: datetime, ends_at: datetime) -> Pass:
    """Let the viewer watch all courses of the creator, or of the tenant, for the reason that `source` names.

    A source grants one pass: said again, it is the same one. What was revoked stays revoked.
    """
    whose = {"viewer_id": viewer.pk, "creator_id": creator.pk if creator else None}
    insert_once(Pass, **whose, source=source, starts_at=starts_at, ends_at=ends_at)
    return Pass.objects.get(source=source)


def grant_passes(passes: Sequence[Pass]) -> None:
    """Let many in at once, each as `grant_pass` does."""
    Pass.objects.bulk_create(passes, ignore_conflicts=True)


@transaction.atomic
def move_ends(ends: Mapping[tuple[int, str], datetime]) -> int:
    """Let what was granted for a time end then instead, sooner or later, by viewer and source; return how many grants.

    The viewers are named, for a source alone is found by no index.
    """
    viewers, sources, number = {viewer for viewer, _ in ends}, {source for _, source in ends}, 0
    kinds: tuple[type[Any], ...] = (Access, Pass)
    for kind in kinds:
        granted = kind.objects.filter(viewer__in=viewers, source__in=sources, ends_at__isnull=False).order_by("pk")
        moved = [of for of in granted if of.starts_at < ends.get((of.viewer_id, of.source), of.starts_at)]
        for of in moved:
            of.ends_at = ends[of.viewer_id, of.source]
        number += update_all(moved, ["ends_at"])
    return number


def play_lesson(*, viewer: Member, lesson: Lesson, at: datetime) -> Lesson:
    """Return the lesson with its content. Raises NotBought for a lesson of a course that was not bought."""
    may_play = viewer.runs_the_tenant or queries.open_lessons(viewer, at=at).filter(pk=lesson.pk).exists()
    if not may_play:
        raise NotBought(f"{lesson.section.course.title} has not been bought.")
    return lesson
