"""What is not learned from: what was done before beginning anew, and all of who closed personalisation or is silent.

Silent is who does not consent that what they do is stored as theirs, and the anonymous member, who is nobody.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from recommender import queries
from recommender.ml.arrays import Flags, Longs

FOR_EVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Forgotten:
    """Whose events are left out, and until when. Shapes: F viewers, N events."""

    viewers: Longs  # (F,) sorted
    until: Longs  # (F,) milliseconds since the epoch

    @classmethod
    def read(cls) -> Self:
        """Return what the viewers of the scope's tenant have decided."""
        until = {viewer: round(at.timestamp() * 1000) for viewer, at in queries.resets().items()}
        until |= dict.fromkeys(queries.closed_to(), FOR_EVER)
        viewers = np.array(sorted(until), np.int64)
        return cls(viewers, np.array([until[viewer] for viewer in viewers.tolist()], np.int64))

    def spares(self, viewers: Longs, at: Longs) -> Flags:
        """Return which events (N,), at times in milliseconds, may be learned from."""
        if not len(self.viewers):
            return np.ones(len(viewers), np.bool_)
        place = np.minimum(np.searchsorted(self.viewers, viewers), len(self.viewers) - 1)
        return np.asarray((self.viewers[place] != viewers) | (at >= self.until[place]))
