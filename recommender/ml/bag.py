"""A text as a vector without any trained weights: its words, hashed into a few signed places each.

Follows "Feature Hashing for Large Scale Multitask Learning" (Weinberger et al., 2009), section 2; with several places a
word it is a sparse random projection, so that texts without a common word stand nearly at right angles ("Sparser
Johnson-Lindenstrauss Transforms", Kane and Nelson, 2014). Words of Chinese are found by jieba's dictionary; the pairs
of neighbouring characters inside them stand beside, so that two ways of dividing the same words still meet.
Shapes: n texts, E the width.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from math import log

import numpy as np
import rjieba

from recommender.ml.arrays import Floats, Longs

WIDTH = 384  # E
PLACES = 4  # of a word
PAIR = 0.5  # what a pair of Chinese characters counts beside a word
WORD = re.compile(r"[\u3400-\u9fff]+|[^\W_\u3400-\u9fff]+(?:'[a-z]+)?")


def bags(texts: Sequence[str]) -> Floats:
    """Return one vector of length 1 for each text (n, E), zeros for a text without a word."""
    vectors = np.zeros((len(texts), WIDTH), np.float32)
    for vector, text in zip(vectors, texts, strict=True):
        for word, weight in weights(text).items():
            places, signs = _places(word)
            np.add.at(vector, places, np.float32(weight) * signs)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)


def weights(text: str) -> dict[str, float]:
    """Return the words of a text with 1 + log of how often each stands there."""
    return {
        word: (PAIR if word.startswith("~") else 1.0) * (1 + log(count)) for word, count in Counter(words(text)).items()
    }


def words(text: str) -> list[str]:
    """Return the words of a text in small letters, and after each Chinese one its pairs of characters (~..)."""
    found: list[str] = []
    for run in WORD.findall(text.lower()):
        for word in rjieba.cut(run) if _is_chinese(run) else [run]:
            found.append(word)
            if _is_chinese(word) and len(word) > 2:
                found.extend(f"~{word[at : at + 2]}" for at in range(len(word) - 1))
    return found


def _is_chinese(run: str) -> bool:
    return "\u3400" <= run[0] <= "\u9fff"


@lru_cache(maxsize=100_000)
def _places(word: str) -> tuple[Longs, Floats]:
    """Return where a word stands (PLACES,) and with which signs (PLACES,)."""
    digest = hashlib.blake2b(word.encode(), digest_size=4 * PLACES).digest()
    numbers = np.frombuffer(digest, "<u4").astype(np.int64)  # (PLACES,)
    signs = np.where(numbers & 1, 1, -1) / np.sqrt(PLACES)
    return (numbers >> 1) % WIDTH, signs.astype(np.float32)
