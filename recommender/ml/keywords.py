"""The words that a short text is about: nouns and adjectives as jieba's dictionary tells them, and English words."""

import rjieba
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

KINDS = ("n", "a", "vn", "eng")
NO_KEYWORDS = {"nr", "ad"}  # of people, and adjectives that only colour verbs
MOST, LONGEST = 8, 40
SHORTEST = 2  # characters


def keywords(text: str, *, most: int = MOST) -> list[str]:
    """Return the text's keywords in the order in which they come, each once."""
    found = [word.lower() for word, kind in rjieba.tag(text) if kind.startswith(KINDS) and kind not in NO_KEYWORDS]
    told = [word for word in found if SHORTEST <= len(word) <= LONGEST and word not in ENGLISH_STOP_WORDS]
    return list(dict.fromkeys(told))[:most]
