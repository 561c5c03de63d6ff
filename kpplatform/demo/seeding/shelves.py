"""What stands on the shelves: topics, creators, videos, courses with their lessons, and prices."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from billing.models import Price
from catalog.models import Item, Lesson, Section, Topic
from creators.models import Creator
from kpplatform.demo.copying import Ids, copy, lists, reserve, times
from kpplatform.demo.seeding.places import Places
from kpplatform.demo.world.catalogue import Catalogue
from kpplatform.demo.world.courses import VIDEO
from kpplatform.demo.world.topics import DOMAIN_OF, DOMAINS, EN, TOPICS, ZH
from kpplatform.tenancy.models import Member
from kpplatform.tenancy.scope import current_tenant

LANGUAGES = np.array(["zh-hans", "en"])
STATES = np.array([Item.State.DRAFT, Item.State.SCHEDULED, Item.State.PUBLISHED, Item.State.WITHDRAWN])


def write(*, catalogue: Catalogue, places: Places, owners: NDArray[np.int32]) -> None:
    """Write the catalogue's rows; `owners` (C,) are the viewers who run the creators, -1 where nobody does."""
    _topics(places)
    _creators(catalogue, places, owners)
    _courses(catalogue, places)
    _videos(catalogue, places)
    _lessons(catalogue, places)


def _topics(places: Places) -> None:
    none = [None] * len(DOMAINS)
    copy(
        Topic,
        {
            "id": np.concatenate([places.domains, places.topics]),
            "slug": [domain.slug for domain in DOMAINS] + [topic.slug for topic in TOPICS],
            "name_zh": [d.voices[ZH].name for d in DOMAINS] + [t.phrases[ZH].name for t in TOPICS],
            "name_en": [d.voices[EN].name for d in DOMAINS] + [t.phrases[EN].name for t in TOPICS],
            "parent_id": pa.array(none + places.domains[DOMAIN_OF].tolist(), pa.int64()),
        },
    )


def _creators(catalogue: Catalogue, places: Places, owners: NDArray[np.int32]) -> None:
    creators = catalogue.creators
    Member.objects.filter(pk__in=places.viewers[owners[owners >= 0]].tolist()).update(role=Member.Role.CREATOR)
    began = np.full(len(creators), catalogue.start_ms, np.int64)
    verified_at = pa.array(began, mask=~creators.verified).cast(pa.timestamp("ms", "UTC"))
    copy(
        Creator,
        {
            "id": places.creators,
            "member_id": pa.array(places.viewers[owners], mask=owners < 0),
            "handle": creators.handle,
            "name": creators.name,
            "bio": creators.bio,
            "links": ["[]"] * len(creators),
            "verified_at": verified_at,
        },
    )


def _courses(catalogue: Catalogue, places: Places) -> None:
    courses = catalogue.courses
    copy(
        Item,
        {
            "id": places.courses,
            "kind": [Item.Kind.COURSE] * len(courses.title),
            "creator_id": places.creators[courses.creator],
            "topic_id": places.topics[courses.topic],
            "title": courses.title,
            "description": courses.description,
            "language": LANGUAGES[courses.language],
            "state": [Item.State.PUBLISHED] * len(courses.title),
            "published_at": times(courses.published_at),
            "updated_at": times(courses.published_at),
            "is_free": [False] * len(courses.title),
        },
    )
    copy(
        Price,
        {
            "item_id": places.courses,
            "amount": _in(current_tenant().currency, courses.price_minor, np.array(courses.currency)),
            "currency": [current_tenant().currency] * len(courses.title),
            "starts_at": times(courses.published_at),
        },
    )


def _in(currency: str, minor: NDArray[np.int32], own: NDArray[np.str_]) -> NDArray[np.int64]:
    """Return prices (n,) in the tenant's currency; a converted price ends in a round tenth."""
    factor = {("USD", "CNY"): 7.0, ("CNY", "USD"): 1 / 7}
    rates = np.array([factor.get((name, currency), 1.0) for name in own.tolist()])
    return np.where(rates == 1, minor, np.maximum(np.round(minor * rates, -1), 10)).astype(np.int64)


def _videos(catalogue: Catalogue, places: Places) -> None:
    videos = catalogue.videos
    copy(
        Item,
        {
            "id": places.videos,
            "kind": [Item.Kind.VIDEO] * len(videos),
            "creator_id": places.creators[videos.creator],
            "topic_id": places.topics[videos.topic],
            "title": videos.words.title,
            "description": videos.words.description,
            "tags": lists(videos.words.tags),
            "language": LANGUAGES[videos.language],
            "duration_ms": videos.duration_ms,
            "state": STATES[videos.state],
            "published_at": times(videos.published_at),
            "updated_at": times(videos.published_at),
        },
    )


def _lessons(catalogue: Catalogue, places: Places) -> None:
    """Write sections and lessons; the videos of lessons are items of their own that only buyers may watch."""
    sections, lessons = catalogue.courses.sections, catalogue.courses.lessons
    course = np.array(sections.course, np.int64)
    section_ids = reserve(Section, len(course))
    copy(
        Section,
        {
            "id": section_ids,
            "course_id": places.courses[course],
            "position": sections.position,
            "title": sections.title,
        },
    )
    section = np.array(lessons.section, np.int64)
    is_video = np.array(lessons.kind) == VIDEO
    video_ids = np.zeros(len(section), np.int64)
    video_ids[is_video] = _lesson_videos(catalogue, places, course[section], is_video)
    copy(
        Lesson,
        {
            "section_id": section_ids[section],
            "position": lessons.position,
            "title": lessons.title,
            "video_id": pa.array(video_ids, mask=~is_video),
            "body": lessons.body,
            "is_preview": lessons.preview,
        },
    )


def _lesson_videos(catalogue: Catalogue, places: Places, course: Ids, is_video: np.ndarray[Any, Any]) -> Ids:
    courses, rows = catalogue.courses, np.flatnonzero(is_video)
    ids, course = reserve(Item, len(rows)), course[rows]
    copy(
        Item,
        {
            "id": ids,
            "kind": [Item.Kind.VIDEO] * len(rows),
            "creator_id": places.creators[courses.creator[course]],
            "topic_id": places.topics[courses.topic[course]],
            "title": [courses.lessons.title[row] for row in rows],
            "language": LANGUAGES[courses.language[course]],
            "duration_ms": np.array(courses.lessons.duration_ms)[rows],
            "state": [Item.State.PUBLISHED] * len(rows),
            "published_at": times(courses.published_at[course]),
            "updated_at": times(courses.published_at[course]),
            "is_free": [False] * len(rows),
        },
    )
    return ids
