"""Texts as word-pieces, and what each piece has to do with the words and characters it came from.

A tokenizer of BERT takes every Chinese character for a word and divides rare words of other languages into pieces. A
word counts once, by its first piece; its other pieces, padding and the tokenizer's own tokens are told apart by
IGNORED, so that they are in no loss and in no score. Shapes: n windows, T pieces.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from recommender.ml.tagger.sentences import Sentence, labels_at

IGNORED = -100  # what torch's cross-entropy leaves out


@dataclass(frozen=True)
class Window:
    """As many pieces of one text as the encoder reads at once."""

    text: int  # which of the texts
    pieces: list[int]  # (T,)
    places: list[tuple[int, int]]  # (T,) characters of each piece, the last one not included
    words: list[int | None]  # (T,) which word a piece belongs to, None for the tokenizer's own

    def starts(self) -> Iterator[tuple[int, int, int]]:
        """Yield for each word the place of its first piece and its first and last character."""
        at = 0
        while at < len(self.words):
            word, first = self.words[at], at
            while at < len(self.words) and self.words[at] == word:
                at += 1
            if word is not None:
                yield first, self.places[first][0], self.places[at - 1][1]


def windows(tokenizer: Any, texts: Sequence[str], *, longest: int, whole: bool) -> list[Window]:
    """Return the texts as windows of at most `longest` pieces: whole in as many as they need, or the first alone."""
    if not texts:
        return []
    read = tokenizer(
        list(texts),
        truncation=True,
        max_length=longest,
        return_offsets_mapping=True,
        return_overflowing_tokens=whole,
    )
    of = read["overflow_to_sample_mapping"] if whole else range(len(texts))
    return [
        Window(int(text), read["input_ids"][at], read["offset_mapping"][at], read.word_ids(at))
        for at, text in enumerate(of)
    ]


def targets(window: Window, sentence: Sentence) -> list[int]:
    """Return what each piece is to be tagged with (T,): cut off where the pieces are."""
    starts = list(window.starts())
    found = [IGNORED] * len(window.pieces)
    for (at, _, _), label in zip(starts, labels_at(sentence.spans, (first for _, first, _ in starts)), strict=True):
        found[at] = label
    return found


def padded(tokenizer: Any, found: Sequence[Window], device: torch.device | str) -> dict[str, Tensor]:
    """Return windows as a batch (n, T) with its mask."""
    batch = tokenizer.pad({"input_ids": [of.pieces for of in found]}, return_tensors="pt")
    return {name: batch[name].to(device) for name in ("input_ids", "attention_mask")}


def padded_targets(found: Sequence[Sequence[int]], width: int) -> Tensor:
    """Return targets as a batch (n, T), padded with what is ignored."""
    return torch.tensor([[*of, *[IGNORED] * (width - len(of))] for of in found])
