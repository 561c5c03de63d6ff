"""What could be better about titles, descriptions and tags: rules that are written down, each with what it has found.

A character of Chinese is as wide as two others. Words are compared without regard to case.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from catalog.models import Item

NARROWEST, WIDEST = 10, 60  # of a title: below it says too little, above it a phone cuts it off
FEWEST_TAGS = 3
SHORTEST_DESCRIPTION = 30
MOST_CAPITALS = 0.6  # of the letters of a title that has at least ten
FEWEST_LETTERS = 10


class Fault(StrEnum):
    """What is wrong with the words of an item."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    NO_TOPIC = "no_topic"
    NO_TOPIC_WORD = "no_topic_word"
    SAME_TITLE = "same_title"
    FEW_TAGS = "few_tags"
    SHORT_DESCRIPTION = "short_description"
    SHOUTING = "shouting"


@dataclass(frozen=True)
class Remark:
    """One fault, and what was found: a width, words, a number of others."""

    fault: Fault
    found: str = ""


def remarks(items: Sequence[Item], *, own_titles: Iterable[str]) -> dict[int, list[Remark]]:
    """Return what could be better about each item, by its id; `own_titles` are those of all of the creator's items."""
    many: dict[str, int] = {}
    for title in own_titles:
        many[folded(title)] = many.get(folded(title), 0) + 1
    return {item.pk: list(_faults(item, many.get(folded(item.title), 0) - 1)) for item in items}


def _faults(item: Item, others: int) -> Iterable[Remark]:
    wide = width(item.title)
    if wide < NARROWEST:
        yield Remark(Fault.TOO_SHORT, str(wide))
    if wide > WIDEST:
        yield Remark(Fault.TOO_LONG, str(wide))
    if item.topic is None:
        yield Remark(Fault.NO_TOPIC)
    elif not _names(item.title, words := topic_words(item)):
        yield Remark(Fault.NO_TOPIC_WORD, ", ".join(words))
    if others > 0:
        yield Remark(Fault.SAME_TITLE, str(others))
    if len(item.tags) < FEWEST_TAGS:
        yield Remark(Fault.FEW_TAGS, str(len(item.tags)))
    if width(item.description) < SHORTEST_DESCRIPTION:
        yield Remark(Fault.SHORT_DESCRIPTION, str(width(item.description)))
    if is_shouted(item.title):
        yield Remark(Fault.SHOUTING)


def width(text: str) -> int:
    """Return how wide a text is."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text.strip())


def folded(text: str) -> str:
    """Return a text as it is compared with others: without case, marks and spaces."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def topic_words(item: Item) -> list[str]:
    """Return what an item is found by, if its title says it: its topic's names and its tags."""
    named = [item.topic.name_zh, item.topic.name_en, item.topic.slug] if item.topic else []
    return list(dict.fromkeys(word for word in (*named, *item.tags) if word))


def is_shouted(title: str) -> bool:
    """Whether a title is in capitals, or ends in several marks."""
    letters = [letter for letter in title if letter.isascii() and letter.isalpha()]
    capitals = sum(letter.isupper() for letter in letters)
    many = len(letters) >= FEWEST_LETTERS and capitals > MOST_CAPITALS * len(letters)
    return many or re.search(r"[!?！？]{2,}", title) is not None


def _names(title: str, words: Iterable[str]) -> bool:
    """Return whether a title says one of the words; a single letter is none."""
    told = (folded(word) for word in words)
    return any(word in folded(title) for word in told if width(word) > 1)
