"""Who may watch what."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from catalog.models import LIVE_STATES, Access, Item, Lesson, Pass, Ruling
from kpplatform.tenancy.models import Member


def is_live(at: datetime, *, of: str = "") -> Q:
    """Return the condition that an item's time has come; `of` leads to the item, e.g. `section__course__`."""
    return Q(**{f"{of}state__in": LIVE_STATES, f"{of}published_at__lte": at})


def has_access(viewer: Member, *, at: datetime, of: str = "") -> Q:
    """Return the condition that the item was granted to the viewer, by itself or with all courses of its creator.

    `of` leads to the item in the outer query, e.g. `section__course__`.
    """
    by_itself = Access.objects.filter(Q(ends_at=None) | Q(ends_at__gt=at), viewer=viewer, item=OuterRef(f"{of}pk"))
    whose = Q(creator=None) | Q(creator=OuterRef(f"{of}creator"))
    with_others = Pass.objects.filter(whose, viewer=viewer, ends_at__gt=at)
    stands = Q(starts_at__lte=at) & (Q(revoked_at=None) | Q(revoked_at__gt=at))
    is_course = Q(**{f"{of}kind": Item.Kind.COURSE})
    return Q(Exists(by_itself.filter(stands))) | is_course & Q(Exists(with_others.filter(stands)))


def watchable_by(viewer: Member, *, at: datetime) -> QuerySet[Item]:
    """Return the published items that the viewer may watch, newest first."""
    return (
        Item.objects.filter(is_live(at))
        .filter(Q(is_free=True) | has_access(viewer, at=at))
        .select_related("creator")
        .order_by("-published_at", "-pk")
    )


def open_lessons(viewer: Member, *, at: datetime) -> QuerySet[Lesson]:
    """Return the lessons whose content the viewer may have: previews, free and granted courses, and their own."""
    granted = Q(is_preview=True) | Q(section__course__is_free=True)
    granted |= has_access(viewer, of="section__course__", at=at)
    return Lesson.objects.filter(
        is_live(at, of="section__course__") & granted | Q(section__course__creator__member=viewer)
    )


def playable_by(viewer: Member, *, at: datetime) -> QuerySet[Item]:
    """Return what the viewer may play: what they may watch, the videos of lessons open to them, and their own.

    A lesson's video need not be published, but what staff took down is played to its creator alone.
    """
    watchable = is_live(at) & (Q(is_free=True) | has_access(viewer, at=at))
    in_a_lesson = Exists(open_lessons(viewer, at=at).filter(video=OuterRef("pk")))
    taken_down = Ruling.objects.filter(item=OuterRef("pk"), effect=Ruling.Effect.WITHDRAWN, lifted_at=None)
    taught = Q(in_a_lesson) & ~Q(Exists(taken_down))
    return Item.objects.filter(watchable | taught | Q(creator__member=viewer)).order_by("pk")


def granted_to(viewers: Sequence[int], *, until: datetime) -> list[tuple[int, int, datetime]]:
    """Return (viewer, item, since when) of what these viewers bought or enrolled in before `until` and still have."""
    granted = Access.objects.filter(viewer__in=list(viewers), starts_at__lt=until, revoked_at=None)
    return list(granted.order_by().values_list("viewer_id", "item_id", "starts_at"))
