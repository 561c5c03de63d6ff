"""Who may compete for a place, found among all live creatives without asking each.

A creative says for each dimension (placement, topic, segment, country, language, …) which values it wants, or any.
For each value it is known who wants it; who may compete is what is left when the rows of flags of a request's values
are laid over each other: N bits a dimension, whatever N is.
"""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Value = Hashable


@dataclass(frozen=True)
class Dimension:
    """One dimension over N creatives."""

    anyone: Flags  # (N,) wants any value
    wanting: Mapping[Value, NDArray[np.int64]]  # places of those that want the value

    @classmethod
    def of(cls, wanted: Sequence[Collection[Value]]) -> "Dimension":
        """Return the dimension of creatives that want these values each; none means any."""
        found: dict[Value, list[int]] = {}
        for place, values in enumerate(wanted):
            for value in values:
                found.setdefault(value, []).append(place)
        anyone = np.array([not values for values in wanted], np.bool_)
        return cls(anyone, {value: np.array(places, np.int64) for value, places in found.items()})

    def fitting(self, values: Iterable[Value]) -> Flags:
        """Return who wants one of these, or any (N,)."""
        fits = self.anyone.copy()
        for value in values:
            if (places := self.wanting.get(value)) is not None:
                fits[places] = True
        return fits

    def naming(self, values: Iterable[Value]) -> Flags:
        """Return who names one of these (N,)."""
        named = np.zeros_like(self.anyone)
        for value in values:
            if (places := self.wanting.get(value)) is not None:
                named[places] = True
        return named


@dataclass(frozen=True)
class Board:
    """All dimensions of N live creatives: what they want, and what they will not stand beside."""

    many: int
    wants: Mapping[str, Dimension]
    shuns: Mapping[str, Dimension] = field(default_factory=dict)

    @classmethod
    def of(
        cls, wants: Mapping[str, Sequence[Collection[Value]]], shuns: Mapping[str, Sequence[Collection[Value]]]
    ) -> "Board":
        many = {len(rows) for rows in (*wants.values(), *shuns.values())}
        (count,) = many or {0}
        return cls(
            count,
            {name: Dimension.of(rows) for name, rows in wants.items()},
            {name: Dimension.of(rows) for name, rows in shuns.items()},
        )

    def fitting(self, request: Mapping[str, Collection[Value]], *, but: Collection[str] = ()) -> Flags:
        """Return who may compete for a place of which these values are told (N,), whatever is wanted in some (`but`).

        A dimension of which nothing is told is free to those only who want any: consent that is not given is not
        guessed.
        """
        fits = np.ones(self.many, np.bool_)
        for name, dimension in self.wants.items():
            if name not in but:
                fits &= dimension.fitting(request.get(name, ()))
        for name, dimension in self.shuns.items():
            fits &= ~dimension.naming(request.get(name, ()))
        return fits
