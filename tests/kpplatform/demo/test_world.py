"""The generated catalogue is believable, bilingual and always the same."""

import numpy as np

from kpplatform.demo.world.arrays import DAY
from kpplatform.demo.world.courses import TEXT
from kpplatform.demo.world.grammar import comments
from kpplatform.demo.world.names import viewer_names
from kpplatform.demo.world.topics import DOMAINS, EN, TOPICS, ZH
from kpplatform.demo.world.videos import PUBLISHED
from tests.kpplatform.demo.played import DAYS, World, catalogue, digest, play


def test_the_same_seed_gives_the_same_world_and_another_seed_another() -> None:
    first, again, other = (play(seed=seed, viewers=200, videos=300) for seed in (7, 7, 8))

    assert digest(first.catalogue) == digest(again.catalogue)
    assert digest(first.viewers) == digest(again.viewers)
    assert digest(first.events) == digest(again.events)
    assert digest(first.events) != digest(other.events)


def test_every_domain_speaks_both_languages() -> None:
    assert len(DOMAINS) == 11
    assert len(TOPICS) == 55

    for topic in TOPICS:
        chinese, english = topic.phrases
        assert not any(_is_chinese(text) for text in [english.name, *english.things, *english.pains])
        assert len(chinese.tasks) == len(english.tasks) == 6


def test_titles_hardly_repeat_and_are_in_the_language_of_the_video() -> None:
    videos = catalogue(videos=6_000).videos

    assert len(set(videos.words.title)) > 0.98 * len(videos)
    assert {ZH, EN} == set(videos.language.tolist())
    assert all(
        _is_chinese(title)
        for title, language in zip(videos.words.title, videos.language, strict=True)
        if language == ZH
    )
    assert not any("{" in text for text in [*videos.words.title, *videos.words.description])


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


def test_lengths_prices_and_handles_are_those_of_a_real_platform(world: World) -> None:
    videos, courses, creators = world.catalogue.videos, world.catalogue.courses, world.catalogue.creators

    assert videos.duration_ms.min() >= 8_000
    assert videos.duration_ms.max() <= 180_000
    assert courses.price_minor[courses.language == ZH].min() >= 990
    assert courses.price_minor.max() <= 59_900
    assert set(courses.currency) == {"CNY", "USD"}
    assert len(set(creators.handle)) == len(creators)
    assert all(handle.isascii() and handle.isalnum() for handle in creators.handle)


def test_something_new_is_published_every_day(world: World) -> None:
    videos = world.catalogue.videos
    shown = videos.published_at[videos.state == PUBLISHED]

    per_day = np.bincount((shown - world.catalogue.start_ms) // DAY + 60, minlength=60 + DAYS)

    assert len(per_day) == 60 + DAYS
    assert per_day.min() > 0
    assert (videos.state != PUBLISHED).any()


def test_a_course_begins_with_a_free_lesson_and_its_texts_are_real_paragraphs(world: World) -> None:
    sections, lessons = world.catalogue.courses.sections, world.catalogue.courses.lessons
    course = np.array(sections.course)[lessons.section]

    assert np.bincount(course, weights=lessons.preview).tolist() == [1.0] * 40
    assert all(lessons.preview[at] for at in np.unique(course, return_index=True)[1])
    assert 3 <= np.bincount(sections.course).min() <= np.bincount(sections.course).max() <= 6
    assert 2 <= np.bincount(lessons.section).min() <= np.bincount(lessons.section).max() <= 6
    for kind, body in zip(lessons.kind, lessons.body, strict=True):
        assert len(body.split("\n\n")) >= (5 if kind == TEXT else 1)


def test_comments_and_names_come_in_both_languages() -> None:
    rows, languages = np.arange(1_000, dtype=np.int32), np.tile([ZH, EN], 500).astype(np.int8)

    names = viewer_names(rows, languages, seed=3)

    assert names[10:12] == viewer_names(rows[10:12], languages[10:12], seed=3)
    assert all(name.isascii() for name in names[1::2])
    assert len(set(names)) > 700
    assert all(len(comments(topic, language)) > 25 for topic in range(len(TOPICS)) for language in (ZH, EN))
