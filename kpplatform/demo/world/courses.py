"""What is for sale: courses of sections of lessons, with prices in the currency of their language."""

from dataclasses import dataclass, field

import numpy as np

from kpplatform.demo.world.arrays import DAY, MINUTE, Int8s, Int16s, Int32s, Int64s, stream
from kpplatform.demo.world.creators import Creators
from kpplatform.demo.world.grammar import Idea, capital, lesson_body, pick, some_idea
from kpplatform.demo.world.topics import CURRENCIES

VIDEO, TEXT = 0, 1

_BACKLOG_DAYS = 120
_TEXT_SHARE = 0.3
_MINOR: Int32s = np.array(
    [
        [990, 1990, 2990, 3990, 4900, 6900, 9900, 12900, 15900, 19900, 24900, 29900, 39900, 59900],
        [499, 799, 999, 1299, 1499, 1999, 2499, 2999, 3999, 4999, 5999, 7999, 9999, 12999],
    ],
    np.int32,
)
"""Usual prices by language, in fen and in cents."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """L lessons in order, each inside a section and a course."""

    section: list[int] = field(default_factory=list)
    position: list[int] = field(default_factory=list)
    """Place inside the section, from 1."""
    kind: list[int] = field(default_factory=list)
    """VIDEO or TEXT."""
    title: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    """Paragraphs separated by empty lines; empty for a video."""
    duration_ms: list[int] = field(default_factory=list)
    """Length of a video, 0 for a text."""
    preview: list[bool] = field(default_factory=list)
    """Whether it is free to watch: the first lesson of every course."""

    def __len__(self) -> int:
        return len(self.title)


@dataclass(frozen=True, slots=True)
class Sections:
    """S sections in order."""

    course: list[int] = field(default_factory=list)
    position: list[int] = field(default_factory=list)
    """Place inside the course, from 1."""
    title: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.title)


@dataclass(frozen=True, slots=True)
class Courses:
    """K courses, one per row, with their sections and lessons."""

    creator: Int32s
    topic: Int16s
    language: Int8s
    price_minor: Int32s
    """(K,) in fen or cents."""
    currency: list[str]
    published_at: Int64s
    """(K,) ms since the epoch."""
    title: list[str]
    description: list[str]
    sections: Sections
    lessons: Lessons

    def __len__(self) -> int:
        return len(self.title)


def draw_courses(*, creators: Creators, count: int, start_ms: int, days: int, seed: int) -> Courses:
    """Return the courses: mostly by well-known creators, mostly published before the first day."""
    rng = stream(seed, "courses")
    odds = np.sqrt(creators.reach.astype(np.float64))
    creator = rng.choice(len(creators), count, p=odds / odds.sum()).astype(np.int32)
    topic = creators.topics[creator, (rng.random(count) < 0.3).astype(int)]
    language = creators.language[creator]
    lag = np.sort(rng.uniform(-_BACKLOG_DAYS, 0.6 * days, count))
    sections, lessons = Sections(), Lessons()
    title: list[str] = []
    description: list[str] = []
    for at in range(count):
        idea = some_idea(int(topic[at]), int(language[at]), rng)
        title.append(_title(idea, title, rng))
        description.append(_description(idea, rng))
        _add_sections(idea, at, sections, lessons, rng)
    return Courses(
        creator=creator,
        topic=topic,
        language=language,
        price_minor=_prices(language, rng),
        currency=[CURRENCIES[code] for code in language.tolist()],
        published_at=(start_ms + lag * DAY).astype(np.int64),
        title=title,
        description=description,
        sections=sections,
        lessons=lessons,
    )


def _prices(language: Int8s, rng: np.random.Generator) -> Int32s:
    """Return prices (K,), more of them in the lower half of the usual ones."""
    steps = (rng.beta(1.6, 2.2, len(language)) * _MINOR.shape[1]).astype(int)
    prices: Int32s = _MINOR[language, steps]
    return prices


def _title(idea: Idea, taken: list[str], rng: np.random.Generator) -> str:
    """Return a title, preferably one that no course has yet."""
    for _ in range(6):
        words = pick(idea.shared["courses"], rng)
        found = capital(idea.say(words, n=pick((2, 3, 4, 6, 8), rng)))
        if found not in taken:
            break
    return found


def _description(idea: Idea, rng: np.random.Generator) -> str:
    pledges = rng.permutation(idea.shared["pledges"])[:2].tolist()
    lines = [capital(idea.say(pledge, n=pick((12, 16, 20, 24), rng))) for pledge in pledges]
    return ("", " ")[idea.language].join([*lines, idea.voice.notice]).strip()


def _add_sections(idea: Idea, course: int, sections: Sections, lessons: Lessons, rng: np.random.Generator) -> None:
    """Add three to six sections, from the first meeting to the review."""
    heads = idea.shared["sections"]
    middle = sorted(rng.permutation(len(heads) - 2)[: int(rng.integers(1, len(heads) - 1))].tolist())
    for position, head in enumerate([0, *(at + 1 for at in middle), len(heads) - 1], start=1):
        theme = some_idea(idea.topic, idea.language, rng)
        sections.course.append(course)
        sections.position.append(position)
        sections.title.append(capital(theme.say(heads[head])))
        _add_lessons(theme, lessons, section=len(sections) - 1, opens=position == 1, rng=rng)


def _add_lessons(theme: Idea, lessons: Lessons, *, section: int, opens: bool, rng: np.random.Generator) -> None:
    """Add two to six lessons about the section's theme, in the order in which one would teach them."""
    heads = theme.shared["lessons"]
    chosen = sorted((1 + rng.permutation(len(heads) - 1)[: int(rng.integers(2, 6))]).tolist())
    for position, head in enumerate([0, *chosen] if opens else chosen, start=1):
        title = capital(theme.say(heads[head]))
        is_text = bool(rng.random() < _TEXT_SHARE)
        lessons.section.append(section)
        lessons.position.append(position)
        lessons.kind.append(TEXT if is_text else VIDEO)
        lessons.title.append(title)
        lessons.body.append(lesson_body(theme, heading=title, rng=rng) if is_text else "")
        lessons.duration_ms.append(0 if is_text else int(rng.gamma(4, 2.2 * MINUTE)) + MINUTE)
        lessons.preview.append(opens and position == 1)
