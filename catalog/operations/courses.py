"""Sections and lessons of a course."""

from typing import TypedDict, Unpack

from django.db import transaction
from django.db.models import Max

from catalog.models import Item, Lesson, Section
from catalog.operations.items import must_own
from kpplatform.errors import Conflict, Invalid
from kpplatform.tenancy.models import Member


class PlaceTaken(Conflict):
    code = "place_taken"


class NotALesson(Invalid):
    code = "not_a_lesson"


class Placed(TypedDict, total=False):
    """A section: what it is called, and where it stands."""

    title: str
    position: int


class Said(TypedDict, total=False):
    """What a lesson consists of: a video of the course's creator, or a text."""

    video: Item | None
    body: str
    is_preview: bool


class Taught(Placed, Said, total=False):
    """A lesson: what it consists of, and where it stands."""


@transaction.atomic
def add_section(*, course: Item, by: Member, title: str, position: int | None = None) -> Section:
    """Add a section, at the end unless a place is given. Raises NotYours and PlaceTaken."""
    must_own(course, by)
    _lock(course)
    others = Section.objects.filter(course=course)
    place = position if position is not None else _end(others.aggregate(last=Max("position"))["last"])
    _must_be_free(others.filter(position=place).exists(), place)
    return Section.objects.create(course=course, title=title, position=place)


@transaction.atomic
def revise_section(*, section: Section, by: Member, **placed: Unpack[Placed]) -> Section:
    """Call a section something else, or put it elsewhere. Raises NotYours and PlaceTaken."""
    must_own(section.course, by)
    _lock(section.course)
    others = Section.objects.filter(course=section.course).exclude(pk=section.pk)
    place = placed.get("position", section.position)
    _must_be_free(others.filter(position=place).exists(), place)
    for name, value in placed.items():
        setattr(section, name, value)
    section.save(update_fields=list(placed))
    return section


@transaction.atomic
def remove_section(*, section: Section, by: Member) -> None:
    """Take a section and its lessons out of the course. Raises NotYours."""
    must_own(section.course, by)
    section.delete()


@transaction.atomic
def add_lesson(
    *,
    section: Section,
    by: Member,
    title: str,
    position: int | None = None,
    **taught: Unpack[Said],
) -> Lesson:
    """Add a lesson, at the end unless a place is given. Raises NotYours, PlaceTaken and NotALesson."""
    must_own(section.course, by)
    _lock(section.course)
    others = Lesson.objects.filter(section=section)
    place = position if position is not None else _end(others.aggregate(last=Max("position"))["last"])
    _must_be_free(others.filter(position=place).exists(), place)
    lesson = Lesson(section=section, title=title, position=place, **taught)
    _must_teach(lesson)
    lesson.save()
    return lesson


@transaction.atomic
def revise_lesson(*, lesson: Lesson, by: Member, **taught: Unpack[Taught]) -> Lesson:
    """Change a lesson. Raises NotYours, PlaceTaken and NotALesson."""
    must_own(lesson.section.course, by)
    _lock(lesson.section.course)
    others = Lesson.objects.filter(section=lesson.section_id).exclude(pk=lesson.pk)
    place = taught.get("position", lesson.position)
    _must_be_free(others.filter(position=place).exists(), place)
    for name, value in taught.items():
        setattr(lesson, name, value)
    _must_teach(lesson)
    lesson.save(update_fields=list(taught))
    return lesson


@transaction.atomic
def remove_lesson(*, lesson: Lesson, by: Member) -> None:
    """Take a lesson out of its course. Raises NotYours."""
    must_own(lesson.section.course, by)
    lesson.delete()


def _lock(course: Item) -> None:
    """Let one at a time change the places in a course."""
    Item.objects.select_for_update(no_key=True).get(pk=course.pk)


def _end(last: int | None) -> int:
    return 1 if last is None else last + 1


def _must_be_free(is_taken: bool, place: int) -> None:  # noqa: FBT001  named by its caller
    if is_taken:
        raise PlaceTaken(f"There is something at place {place}.")


def _must_teach(lesson: Lesson) -> None:
    if (lesson.video is None) == (lesson.body == ""):
        raise NotALesson("A lesson is a video or a text: one of them.")
    if lesson.video and lesson.video.creator_id != lesson.section.course.creator_id:
        raise NotALesson("A lesson's video is of the course's own creator.")
