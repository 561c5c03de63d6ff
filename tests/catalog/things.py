"""Makes items and creators, with the least said. Call inside a scope."""

from datetime import datetime
from typing import Any

from catalog.models import Course, Item, Lesson, Section, Topic, Video
from creators.models import Creator
from kpplatform.tenancy.models import Member
from tests import make
from tests.conftest import NOON

MINUTE_MS = 60_000


def creator(member: Member | None = None, **fields: Any) -> Creator:
    handle = f"creator-{next(make.numbers)}"
    return Creator.objects.create(member=member or make.member(), **{"handle": handle, "name": handle} | fields)


def topic(slug: str = "piano") -> Topic:
    return Topic.objects.create(slug=slug, name_zh="钢琴", name_en="Piano")


def video(
    by: Creator | None = None, *, published_at: datetime | None = NOON, is_free: bool = True, **fields: Any
) -> Item:
    """Return a video of a minute, published at noon unless said otherwise; a draft with `published_at=None`."""
    state = Item.State.PUBLISHED if published_at else Item.State.DRAFT
    given = {"title": "Scales 音阶", "duration_ms": MINUTE_MS, "state": state} | fields
    made: Item = Video.objects.create(
        kind=Item.Kind.VIDEO, creator=by or creator(), published_at=published_at, is_free=is_free, **given
    )
    return made


def course(by: Creator | None = None, *, is_free: bool = False, **fields: Any) -> Item:
    """Return a published course with one section: a text that is a preview, and a text that is not."""
    given = {"title": "Piano in a week", "state": Item.State.PUBLISHED, "published_at": NOON} | fields
    made: Item = Course.objects.create(kind=Item.Kind.COURSE, creator=by or creator(), is_free=is_free, **given)
    section = Section.objects.create(course=made, position=1, title="First day")
    Lesson.objects.create(section=section, position=1, title="Hello", body="Welcome.", is_preview=True)
    Lesson.objects.create(section=section, position=2, title="Scales", body="C D E F G A B C")
    return made


def lessons_of(course: Item) -> list[Lesson]:
    return list(Lesson.objects.filter(section__course=course))
