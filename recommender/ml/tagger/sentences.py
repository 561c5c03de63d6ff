"""Texts whose spans of praise and blame are marked, as lines of JSON.

    {"text": "Clear, but dear.", "spans": [[0, 5, "Positive"], [11, 15, "Negative"]], "split": "train"}

A span is from its first character to behind its last one. Without a split a text is dealt by its hash: eight of ten
are learned from, one chooses the epoch (dev), one judges (test); a text that stands there twice is on one side.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

LABELS = ("O", "Positive", "Negative")
SPLITS = ("train", "dev", "test")
SHIPPED = Path(__file__).parent / "reviews.jsonl"  # written from the demo world's grammar


class BrokenSentences(Exception):
    """A file that cannot be learned from; `code` says why in one word."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code

    def __str__(self) -> str:
        return str(self.args[1])


class Span(NamedTuple):
    """Characters of a text and what they are."""

    start: int
    end: int
    label: str


@dataclass(frozen=True)
class Sentence:
    """A text, its spans in order, and what it is for."""

    text: str
    spans: tuple[Span, ...] = ()
    split: str = ""

    @property
    def part(self) -> str:
        """Return the split that was named, or the one that the text's hash deals it to."""
        if self.split:
            return self.split
        dealt = hashlib.blake2b(self.text.encode(), digest_size=8).digest()[0] % 10
        return {8: "dev", 9: "test"}.get(dealt, "train")


def read(path: Path) -> list[Sentence]:
    """Return the sentences of a file. Raises BrokenSentences with the line's number."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BrokenSentences("unreadable", f"{path} cannot be read: {error}") from error
    return [_sentence(line, f"{path.name}, line {number}") for number, line in enumerate(lines, 1) if line.strip()]


def write(path: Path, sentences: Sequence[Sentence]) -> None:
    """Write sentences as `read` finds them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for of in sentences:
            said = {"text": of.text, "spans": of.spans} | ({"split": of.split} if of.split else {})
            file.write(json.dumps(said, ensure_ascii=False) + "\n")


def parts(sentences: Sequence[Sentence]) -> dict[str, list[Sentence]]:
    """Return the sentences of each split. Raises BrokenSentences where one has none."""
    found = {name: [of for of in sentences if of.part == name] for name in SPLITS}
    if empty := [name for name in SPLITS if not found[name]]:
        raise BrokenSentences("empty_split", f"There are no sentences for {', '.join(empty)}.")
    return found


def checked(text: str, spans: Any, *, where: str = "The spans") -> tuple[Span, ...]:
    """Return the spans in order. Raises BrokenSentences for any that is none, or that covers another's characters."""
    if not isinstance(spans, list | tuple):
        raise BrokenSentences("bad_span", f"{where}: spans are a list.")
    found = tuple(sorted(_span(text, span, where) for span in spans))
    if any(after.start < before.end for before, after in pairwise(found)):
        raise BrokenSentences("spans_overlap", f"{where}: two spans share characters.")
    return found


def labels_at(spans: Sequence[Span], places: Iterator[int]) -> list[int]:
    """Return for each character's place which of LABELS it has."""
    return [next((LABELS.index(of.label) for of in spans if of.start <= at < of.end), 0) for at in places]


def _sentence(line: str, where: str) -> Sentence:
    try:
        said = json.loads(line)
    except ValueError as error:
        raise BrokenSentences("not_json", f"{where}: this is no JSON: {error}") from error
    if not isinstance(said, dict) or not isinstance(said.get("text"), str):
        raise BrokenSentences("no_text", f"{where}: there is no text.")
    split = said.get("split") or ""
    if split not in {"", *SPLITS}:
        raise BrokenSentences("bad_split", f"{where}: a split is one of {', '.join(SPLITS)}.")
    return Sentence(said["text"], checked(said["text"], said.get("spans", []), where=where), split)


def _span(text: str, span: Any, where: str) -> Span:
    is_span = isinstance(span, list | tuple) and len(span) == len(Span._fields)
    if not is_span or type(span[0]) is not int or type(span[1]) is not int:
        raise BrokenSentences("bad_span", f"{where}: {span!r} is not [start, end, label].")
    start, end, label = span
    if not 0 <= start < end <= len(text):
        raise BrokenSentences("bad_span", f"{where}: {span!r} is not inside a text of {len(text)} characters.")
    if label not in LABELS[1:]:
        raise BrokenSentences("unknown_label", f"{where}: {label!r} is neither {' nor '.join(LABELS[1:])}.")
    return Span(start, end, label)
