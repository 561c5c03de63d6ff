"""Reviews whose praise and blame is marked, so that a tagger has something to learn from and to be judged by.

Templates for training, development and test are different ones; half of the opinions by which it is judged are phrases
that it has not met in training.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np

from kpplatform.demo.world.arrays import stream
from kpplatform.demo.world.grammar import Idea, capital, pick, some_idea
from kpplatform.demo.world.topics import LANGUAGES, TOPICS

SIZES = {"train": 1_500, "dev": 200, "test": 300}
SLOT = re.compile(r"\{([+-])\}")
LABELS = {"+": "Positive", "-": "Negative"}
IN_A_ROW = 0.7  # of what is learned from
KINDS = {"+": "good", "-": "bad"}

_TEXTS = tomllib.loads((Path(__file__).parent / "texts" / "reviews.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Review:
    """A text, its spans as [first character, behind the last, label], and what it is for."""

    text: str
    spans: list[list[Any]]
    split: str


def reviews(*, seed: int) -> list[Review]:
    """Return the reviews of all three splits in both languages, no text twice."""
    rng = stream(seed, "reviews")
    found: dict[str, Review] = {}
    for split, size in SIZES.items():
        new = (review for review in _said(split, rng) if review.text not in found)
        for review in islice(new, size):
            found[review.text] = review
    return list(found.values())


def _said(split: str, rng: np.random.Generator) -> Iterator[Review]:
    for number in count():
        language = number % len(LANGUAGES)
        idea = some_idea(int(rng.integers(len(TOPICS))), language, rng)
        templates = _TEXTS[LANGUAGES[language]]["templates"]
        is_row = split == "train" and rng.random() < IN_A_ROW
        yield _review(_row(templates, rng) if is_row else pick(templates[split], rng), idea, split, rng)


def _row(templates: dict[str, Any], rng: np.random.Generator) -> str:
    """Return a template of some opinions and clauses in any order."""
    parts = [pick(("{+}", "{-}"), rng) if rng.random() < 0.5 else pick(templates["clauses"], rng) for _ in range(4)]
    joined = [part + pick(templates["joints"], rng) for part in parts[: 1 + int(rng.integers(4))]]
    return "".join(joined).rstrip()


def _review(template: str, idea: Idea, split: str, rng: np.random.Generator) -> Review:
    """Fill a template piece by piece, and mark where its opinions have come to stand."""
    text, spans = "", []
    for place, piece in enumerate(SLOT.split(template)):
        if place % 2:
            said = idea.say(_opinion(KINDS[piece], idea, split, rng))
            spans.append([len(text), len(text) + len(said), LABELS[piece]])
        else:
            said = idea.say(piece, n=pick((2, 3, 5), rng))
        text += said
    return Review(capital(text), spans, split)


def _opinion(kind: str, idea: Idea, split: str, rng: np.random.Generator) -> str:
    opinions = _TEXTS[LANGUAGES[idea.language]]["opinions"]
    *learned, kept = opinions[pick(sorted(opinions), rng)][kind]
    said: str = kept if split != "train" and rng.random() < 0.5 else pick(learned, rng)
    return said
