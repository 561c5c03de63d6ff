"""The arrays that everything here is made of."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Octets = NDArray[np.int8]
Ints = NDArray[np.int32]
Longs = NDArray[np.int64]
Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Matrix = csr_array[np.float32, tuple[int, int]]


def common(known: Longs, asked: Longs) -> tuple[Longs, Longs]:
    """Return the places in sorted `known` and in `asked` of the ids that are in both."""
    if not len(known):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    places = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    found = known[places] == asked
    return places[found], np.flatnonzero(found)
