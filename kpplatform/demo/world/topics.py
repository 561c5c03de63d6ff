"""What the world talks about: eleven domains of about five topics each, in Chinese and in English.

The words stand in texts/*.toml. A language is an index into LANGUAGES everywhere.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kpplatform.demo.world.arrays import Floats, Int8s

LANGUAGES = ("zh", "en")
CURRENCIES = ("CNY", "USD")
ZH, EN = 0, 1

_TEXTS = Path(__file__).parent / "texts"
_ORDER = (
    "education",
    "career",
    "health",
    "art",
    "living",
    "finance",
    "travel",
    "counselling",
    "technology",
    "science",
    "wellbeing",
)


@dataclass(frozen=True, slots=True)
class Phrases:
    """What can be said about one topic in one language: things to do, to know and to suffer from."""

    name: str
    tasks: tuple[str, ...]
    things: tuple[str, ...]
    pains: tuple[str, ...]
    titles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Voice:
    """How one domain speaks in one language."""

    name: str
    roles: tuple[str, ...]
    titles: tuple[str, ...]
    comments: tuple[str, ...]
    paragraphs: tuple[str, ...]
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Domain:
    """A top topic: its voices by language, its usual length in seconds and its share of the catalogue."""

    slug: str
    seconds: float
    share: float
    voices: tuple[Voice, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic inside a domain (an index into DOMAINS): its phrases by language."""

    slug: str
    domain: int
    phrases: tuple[Phrases, ...]


def _texts(name: str) -> dict[str, Any]:
    return tomllib.loads((_TEXTS / f"{name}.toml").read_text(encoding="utf-8"))


def _frozen(words: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in words.items()}


def _domain(text: dict[str, Any]) -> Domain:
    voices = tuple(Voice(**_frozen(text[language])) for language in LANGUAGES)
    return Domain(text["slug"], text["seconds"], text["share"], voices)


def _topics(text: dict[str, Any], domain: int) -> list[Topic]:
    return [
        Topic(slug, domain, tuple(Phrases(**_frozen(words[language])) for language in LANGUAGES))
        for slug, words in text["topics"].items()
    ]


_FILES = [_texts(name) for name in _ORDER]

DOMAINS: tuple[Domain, ...] = tuple(_domain(text) for text in _FILES)
TOPICS: tuple[Topic, ...] = tuple(topic for at, text in enumerate(_FILES) for topic in _topics(text, at))
SHARED: dict[str, Any] = _texts("shared")

DOMAIN_OF: Int8s = np.array([topic.domain for topic in TOPICS], np.int8)
"""The domain of each topic (T,)."""


def topic_shares() -> Floats:
    """Return how much of the world each topic takes (T,), adding up to one."""
    shares = np.array([DOMAINS[topic.domain].share for topic in TOPICS], np.float32)
    shares /= shares.sum()
    return shares
