"""What people are called: creators with their handles and brands, viewers with names or nicknames."""

import numpy as np

from kpplatform.demo.world.arrays import Int8s, Int32s
from kpplatform.demo.world.grammar import Idea, capital, pick
from kpplatform.demo.world.topics import EN, SHARED, ZH

_NAMES = SHARED["names"]
_SURNAMES = [entry.split() for entry in _NAMES["surnames"]]
_GIVEN = [entry.split() for entry in _NAMES["given"]]


def person(language: int, rng: np.random.Generator) -> tuple[str, str, str]:
    """Return a full name, the given name, and both in ASCII letters for a handle."""
    if language == EN:
        first, last = pick(_NAMES["first"], rng), pick(_NAMES["last"], rng)
        return f"{first} {last}", first, f"{first}{last}".lower()
    (surname, latin), (given, given_latin) = pick(_SURNAMES, rng), pick(_GIVEN, rng)
    return surname + given, given, latin + given_latin


def brand(idea: Idea, *, name: str, given: str, rng: np.random.Generator) -> str:
    """Return the name a creator shows: the person's own, or one made of name and topic."""
    return capital(idea.say(pick(idea.shared["brands"], rng), name=name, given=given))


def bio(idea: Idea, *, role: str, rng: np.random.Generator) -> str:
    """Return one or two sentences in which a creator presents themselves."""
    return capital(idea.say(pick(idea.shared["bios"], rng), role=role, n=int(rng.integers(2, 12))))


def handles(latin: list[str]) -> list[str]:
    """Return a distinct handle for each ASCII name: the name itself, or with the next free number."""
    counts: dict[str, int] = {}
    found = []
    for name in latin:
        counts[name] = counts.get(name, 0) + 1
        found.append(name if counts[name] == 1 else f"{name}{counts[name]}")
    return found


def viewer_names(rows: Int32s, languages: Int8s, *, seed: int) -> list[str]:
    """Return the names of these viewers (n,): the same row and seed always give the same name."""
    mixed = (rows.astype(np.uint64) + np.uint64(seed * 7_919 + 1)) * np.uint64(0x9E3779B97F4A7C15)
    draws = (mixed ^ (mixed >> np.uint64(29))) >> np.uint64(16)
    return [_viewer(int(draw), int(language)) for draw, language in zip(draws, languages, strict=True)]


def _viewer(draw: int, language: int) -> str:
    draw, style = divmod(draw, 4)
    draw, first = divmod(draw, 48)
    draw, second = divmod(draw, 48)
    number = draw % 1_000
    if style == 0:
        aliases = _NAMES["nicknames" if language == ZH else "aliases"]
        return f"{aliases[first % len(aliases)]}{number}"
    if language == ZH:
        return f"{_SURNAMES[second][0]}{_GIVEN[first][0]}"
    return f"{_NAMES['first'][first]} {_NAMES['last'][second]}"
