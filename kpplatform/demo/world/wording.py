"""The words of the videos: titles that rarely repeat, numbered episodes, descriptions and tags."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from kpplatform.demo.world import grammar
from kpplatform.demo.world.arrays import Int8s, Int16s, Int32s, stream
from kpplatform.demo.world.grammar import Idea, capital, pick


@dataclass(frozen=True, slots=True)
class Words:
    """Titles, descriptions and tags of V videos."""

    title: list[str]
    description: list[str]
    tags: list[tuple[str, ...]]


def video_words(
    *,
    topic: Int16s,
    language: Int8s,
    duration_ms: Int32s,
    pitch: Sequence[str],
    series: Sequence[Sequence[int]],
    seed: int,
) -> Words:
    """Return the words of V videos: their topics (V,), languages (V,), lengths (V,) and promoted courses."""
    rng = stream(seed, "words")
    springs: dict[tuple[int, int], Iterator[tuple[Idea, int]]] = {}
    words = Words([], [], [])
    rows = zip(topic.tolist(), language.tolist(), duration_ms.tolist(), pitch, strict=True)
    for about, tongue, length, course in rows:
        if (about, tongue) not in springs:
            springs[about, tongue] = _ideas(about, tongue, rng)
        idea, part = next(springs[about, tongue])
        title = grammar.title(idea, duration_ms=length, rng=rng)
        words.title.append(title if part == 1 else idea.shared["again"].format(title=title, e=part))
        words.description.append(grammar.description(idea, course=course, rng=rng))
        words.tags.append(grammar.tags(idea, rng))
    _number_episodes(words.title, topic, language, series, rng)
    return words


def _ideas(topic: int, language: int, rng: np.random.Generator) -> Iterator[tuple[Idea, int]]:
    """Yield every title's idea once as part 1, then each again as part 2, and so on for ever."""
    ideas = grammar.title_ideas(topic, language, rng)
    for part in count(1):
        yield from ((idea, part) for idea in ideas)


def _number_episodes(
    titles: list[str],
    topic: Int16s,
    language: Int8s,
    series: Sequence[Sequence[int]],
    rng: np.random.Generator,
) -> None:
    """Put the name of the series and the number of the episode before the titles."""
    for run in series:
        idea = grammar.some_idea(int(topic[run[0]]), int(language[run[0]]), rng)
        name = capital(idea.say(pick(idea.shared["series"], rng)))
        for number, at in enumerate(run, start=1):
            titles[at] = idea.shared["episode"].format(series=name, e=number, title=titles[at])
