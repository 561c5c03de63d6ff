"""What is told of items in words, as one string of bytes in memory: a text is decoded when somebody asks for it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import sqrt
from typing import Final

import numpy as np

from recommender.ml import bag
from recommender.ml.arrays import Longs

REMEMBERED = 1_000_000  # places of searched words, while the texts are the same
BETWEEN: Final = "\x1f"  # between the title and each tag
ROUNDED = 1e-9
FEWEST_WORDS = 4  # below that a text says too little to be the same as another: "Part 1"


@dataclass(frozen=True)
class Texts:
    """The title and the tags of M items."""

    whole: bytes
    ends: Longs  # (M,) where each item's text ends, in bytes

    def __getitem__(self, place: int) -> str:
        if not len(self.ends):
            return ""
        start = int(self.ends[place - 1]) if place else 0
        return self.whole[start : int(self.ends[place])].decode()

    def told(self, place: int) -> tuple[str, list[str]]:
        """Return an item's title and tags."""
        title, *tags = self[place].split(BETWEEN)
        return title, tags

    def containing(self, word: str) -> Longs:
        """Return the places of the items in whose title or tags the word is found, in small letters or in large ones.

        What was found is remembered, for many a request asks the same.
        """
        found = self._found.get(word)
        if found is None:
            needles = {form.encode().lower() for form in (word, word.upper(), word.title())}
            found = np.array(sorted({place for needle in needles for place in self._with(needle)}), np.int64)
            if sum(1 + len(of) for of in list(self._found.values())) + len(found) > REMEMBERED:
                self._found.clear()
            self._found[word] = found
        return found

    def _with(self, needle: bytes) -> Iterator[int]:
        at = self._small.find(needle)
        while at >= 0:
            place = int(np.searchsorted(self.ends, at, side="right"))
            if at + len(needle) <= self.ends[place]:  # or it began in one item and ended in the next
                yield place
                at = int(self.ends[place]) - 1
            at = self._small.find(needle, at + 1)

    @cached_property
    def _small(self) -> bytes:
        """Return the whole with a to z small: other letters stay, so that places stay what they are."""
        return self.whole.lower()

    @cached_property
    def _found(self) -> dict[str, Longs]:
        return {}

    @property
    def nbytes(self) -> int:
        return len(self.whole) + self.ends.nbytes


Words = Mapping[str, float]

NO_TEXTS = Texts(b"", np.zeros(0, np.int64))


@lru_cache(maxsize=20_000)
def words(text: str) -> Words:
    """Return the words of a text with weights of length 1; none where there are too few to tell it by.

    Numbers come first, then long words, late ones before others: they are the likeliest to stand in no other text.
    """
    weights = bag.weights(text.replace(BETWEEN, " "))
    if len(weights) < FEWEST_WORDS:
        return {}
    length = sqrt(sum([weight * weight for weight in weights.values()]))
    return {word: weights[word] / length for word in sorted(weights, key=_telling)[::-1]}


def _telling(word: str) -> tuple[bool, int]:
    return word.isdigit(), len(word)


def likeness(one: Words, other: Words) -> float:
    """Return the cosine of two texts by their words."""
    return sum([weight * other[word] for word, weight in one.items() if word in other])


class Written:
    """The texts of a page, to tell whether another is the same as one of them: its cosine is at least so much.

    A text is compared with those alone that have one of its first words, where the others alone could not make a cosine
    as large: prefix filtering, as in `ml.duplicates`.
    """

    def __init__(self, alike: float) -> None:
        self.alike = alike - ROUNDED  # or half of all texts would not be the same as themselves
        self.enough = self.alike * self.alike - ROUNDED
        self.texts: list[Words] = []
        self.having: dict[str, list[int]] = {}  # texts, by their words

    def __len__(self) -> int:
        return len(self.texts)

    def add(self, text: Words) -> None:
        """Take note of a text."""
        for word in text:
            self.having.setdefault(word, []).append(len(self.texts))
        self.texts.append(text)

    def has(self, text: Words, *, since: int) -> bool:
        """Tell whether one of the texts, but for the first so many, is the same as this."""
        rest, could_be = 1.0, set[int]()
        for word, weight in text.items():
            could_be.update(self.having.get(word, ()))
            rest -= weight * weight
            if rest < self.enough:
                break
        return any(likeness(text, self.texts[place]) >= self.alike for place in could_be if place >= since)
