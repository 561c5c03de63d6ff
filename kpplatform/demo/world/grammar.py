"""How titles, descriptions, tags, comments and lessons are put together from a topic's phrases."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import Any, TypeVar

import numpy as np

from kpplatform.demo.world.topics import DOMAINS, LANGUAGES, SHARED, TOPICS, Phrases, Voice

T = TypeVar("T")

_LENGTHS = (15, 30, 45, 60, 90, 120, 180)


@dataclass(frozen=True, slots=True)
class Idea:
    """What one text is about: a topic and a language, one phrase of each kind, perhaps a title's template."""

    topic: int
    language: int
    task: str
    thing: str
    pain: str
    template: str = ""

    def say(self, template: str, **more: object) -> str:
        """Fill a template; a slot written with a capital begins with a capital."""
        words = {"topic": self.phrases.name, "task": self.task, "thing": self.thing, "pain": self.pain}
        words |= {key: str(value) for key, value in more.items()}
        raised = {key.capitalize(): capital(value) for key, value in words.items()}
        return template.format_map(raised | words)

    @property
    def phrases(self) -> Phrases:
        return TOPICS[self.topic].phrases[self.language]

    @property
    def voice(self) -> Voice:
        return DOMAINS[TOPICS[self.topic].domain].voices[self.language]

    @property
    def shared(self) -> dict[str, Any]:
        words: dict[str, Any] = SHARED[LANGUAGES[self.language]]
        return words


def capital(text: str) -> str:
    """Return the text with a capital first letter."""
    return text[:1].upper() + text[1:]


def pick(options: Sequence[T], rng: np.random.Generator) -> T:
    """Return one of the options."""
    return options[int(rng.integers(len(options)))]


def some_idea(topic: int, language: int, rng: np.random.Generator) -> Idea:
    """Return an idea about the topic."""
    phrases = TOPICS[topic].phrases[language]
    return Idea(topic, language, pick(phrases.tasks, rng), pick(phrases.things, rng), pick(phrases.pains, rng))


def title_ideas(topic: int, language: int, rng: np.random.Generator) -> list[Idea]:
    """Return every title that can be made about the topic, once each, shuffled."""
    plain = some_idea(topic, language, rng)
    templates = [*plain.shared["titles"], *plain.voice.titles, *plain.phrases.titles]
    ideas = [replace(idea, template=template) for template in templates for idea in _spread(plain, template)]
    return [ideas[at] for at in rng.permutation(len(ideas))]


def _spread(plain: Idea, template: str) -> list[Idea]:
    """Return an idea for every combination of the phrases that the template uses."""
    said = template.lower()
    tasks = plain.phrases.tasks if "{task}" in said else (plain.task,)
    things = plain.phrases.things if "{thing}" in said else (plain.thing,)
    pains = plain.phrases.pains if "{pain}" in said else (plain.pain,)
    return [replace(plain, task=task, thing=thing, pain=pain) for task, thing, pain in product(tasks, things, pains)]


def title(idea: Idea, *, duration_ms: int, rng: np.random.Generator) -> str:
    """Return the idea's title for a video of this length."""
    seconds = next((length for length in _LENGTHS if length * 1_000 >= duration_ms), _LENGTHS[-1])
    return capital(idea.say(idea.template, s=seconds, n=pick((3, 4, 5, 7), rng), m=pick((2, 3, 5, 10), rng)))


def description(idea: Idea, *, course: str, rng: np.random.Generator) -> str:
    """Return two or three sentences, with the course that goes with the video if there is one."""
    first, second = rng.permutation(len(idea.shared["descriptions"]))[:2]
    lines = [capital(idea.say(idea.shared["descriptions"][at])) for at in (first, second)]
    if course:
        lines.append(idea.say(idea.shared["pitch"], course=course))
    return _joined([*lines, idea.voice.notice], idea.language)


def tags(idea: Idea, rng: np.random.Generator) -> tuple[str, ...]:
    """Return three or four distinct tags, the topic's name first."""
    found = [idea.phrases.name, idea.thing, idea.voice.name.lower(), pick(idea.shared["tags"], rng)]
    return tuple(dict.fromkeys(found[: int(rng.integers(3, 5))]))


@cache
def comments(topic: int, language: int) -> tuple[str, ...]:
    """Return what viewers write under videos about the topic, some dozens of texts."""
    plain = some_idea(topic, language, np.random.default_rng(topic))
    said = [idea.say(text) for text in plain.shared["comments"] for idea in _spread(plain, text)]
    return tuple(dict.fromkeys(capital(text) for text in (*plain.voice.comments, *said)))


def lesson_body(idea: Idea, *, heading: str, rng: np.random.Generator) -> str:
    """Return the paragraphs of a text lesson: an opening, the domain's own matter, a closing."""
    matter = [idea.voice.paragraphs[at] for at in rng.permutation(len(idea.voice.paragraphs))]
    parts = [pick(idea.shared["openings"], rng), *matter, pick(idea.shared["closings"], rng)]
    texts = [capital(idea.say(part, title=heading)) for part in parts]
    return "\n\n".join([*texts, idea.voice.notice] if idea.voice.notice else texts)


def _joined(sentences: Sequence[str], language: int) -> str:
    return ("", " ")[language].join(sentence for sentence in sentences if sentence)
