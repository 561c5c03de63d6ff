"""The column types of the generated world, its units of time, and its streams of random numbers."""

import zlib

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Bools = NDArray[np.bool_]
Bytes = NDArray[np.uint8]
Int8s = NDArray[np.int8]
Int16s = NDArray[np.int16]
Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def stream(seed: int, *path: str | int) -> np.random.Generator:
    """Return the random numbers of one named place in the world, independent of every other place."""
    words = [zlib.crc32(step.encode()) if isinstance(step, str) else step for step in path]
    return np.random.Generator(np.random.SFC64([seed, *words]))


def unit(vectors: Floats) -> Floats:
    """Scale each row of (n, D) to length one."""
    length = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))[:, None]
    scaled: Floats = vectors / np.maximum(length, np.float32(1e-6))
    return scaled
