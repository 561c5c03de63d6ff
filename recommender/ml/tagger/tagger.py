"""A tagger that has learned: texts in, spans of praise and blame out; saved as a folder."""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from recommender.ml import text
from recommender.ml.arrays import Floats
from recommender.ml.model import FACTS
from recommender.ml.tagger.pieces import Window, padded, windows
from recommender.ml.tagger.sentences import LABELS
from recommender.ml.text_heads import Headed, headed

AT_ONCE = 64  # windows
ENCODER, HEAD = "encoder", "head.safetensors"


class NoTagger(Exception):
    """The folder that was named holds no tagger that can be loaded."""

    code = "no_tagger"


class Found(NamedTuple):
    """Characters that were found to be praise or blame, and the mean chance of their words to be so."""

    start: int
    end: int
    label: str
    chance: float


class Word(NamedTuple):
    """A word of a text: its characters, its likeliest tag and the chance of it."""

    text: int
    start: int
    end: int
    label: int
    chance: float


@dataclass(frozen=True)
class Tagger:
    """A tokenizer, an encoder with the head for tags, and the most pieces that it reads at once."""

    tokenizer: Any
    model: Headed
    longest: int
    facts: dict[str, Any] = field(default_factory=dict)  # how it was learned and how good it is

    @property
    def name(self) -> str:
        """Return a name that changes with the weights; nothing before it is saved."""
        return str(self.facts.get("name", ""))

    def tag(self, texts: Sequence[str]) -> list[list[Found]]:
        """Return the spans of each text in their order, of overlong ones too; none of an empty one."""
        spans: list[list[Found]] = [[] for _ in texts]
        words = self.words(windows(self.tokenizer, texts, longest=self.longest, whole=True))
        for (at, label), run in groupby(words, key=lambda word: (word.text, word.label)):
            of = list(run)
            if label:
                chance = round(float(np.mean([word.chance for word in of])), 4)
                spans[at].append(Found(of[0].start, of[-1].end, LABELS[label], chance))
        return spans

    def words(self, found: Sequence[Window]) -> list[Word]:
        """Return the words of windows in their order, tagged."""
        chances: dict[int, Floats] = {}
        by_length = sorted(range(len(found)), key=lambda at: len(found[at].pieces))
        for first in range(0, len(found), AT_ONCE):
            asked = by_length[first : first + AT_ONCE]
            chances |= zip(asked, self._chances([found[at] for at in asked]), strict=True)
        return [word for at, window in enumerate(found) for word in _tagged(window, chances[at])]

    @torch.inference_mode()
    def _chances(self, found: Sequence[Window]) -> Floats:
        """Return the chance of each tag (n, T, 3) of pieces."""
        device = next(self.model.parameters()).device
        logits = self.model(padded(self.tokenizer, found, device))  # (n, T, 3)
        return np.asarray(logits.softmax(-1).float().cpu().numpy())

    def save(self, folder: Path) -> None:
        """Write it down as a folder that replaces what was there."""
        half = folder.with_name(f".{folder.name}")
        shutil.rmtree(half, ignore_errors=True)
        (half / ENCODER).mkdir(parents=True)
        self.tokenizer.save_pretrained(half / ENCODER)
        self.model.encoder.save_pretrained(half / ENCODER)
        save_file(self.model.head.state_dict(), half / HEAD)
        facts = self.facts | {"name": text.named(half / ENCODER), "longest": self.longest, "labels": LABELS}
        (half / FACTS).write_text(json.dumps(facts, ensure_ascii=False))
        shutil.rmtree(folder, ignore_errors=True)
        half.replace(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the tagger of a folder. Raises NoTagger."""
        try:
            facts = json.loads((folder / FACTS).read_text())
            tokenizer, encoder = text.loaded(folder / ENCODER)
            model = headed(encoder, "tag", classes=len(LABELS))
            model.head.load_state_dict(load_file(folder / HEAD))
            return cls(tokenizer, model.eval(), int(facts["longest"]), facts)
        except (OSError, ValueError, KeyError, RuntimeError, text.NoEncoder) as error:
            raise NoTagger(f"{folder} holds no tagger: {error}") from error


def _tagged(window: Window, chances: Floats) -> Iterator[Word]:
    for at, start, end in window.starts():
        label = int(chances[at].argmax())
        yield Word(window.text, start, end, label, float(chances[at, label]))
