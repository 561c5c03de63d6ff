"""Viewers as vectors without names: near each other when they like the same items.

Where no published model gives a vector, the items' come from the truncated SVD of R (U, V), "Latent Semantic
Analysis" (Deerwester et al., 1990), and a viewer's is their row of R times those. Shapes: U viewers, V items, D
dimensions.
"""

import numpy as np
from scipy.sparse.linalg import svds

from recommender.ml.arrays import Floats, Longs, Matrix

WIDTH = 32


def item_vectors(ratings: Matrix, *, seed: int, width: int = WIDTH) -> Floats:
    """Return the right singular vectors (V, D) of R (U, V), the strongest first; D is smaller for a small R."""
    most = min(width, min(ratings.shape) - 1)
    if most < 1 or not ratings.nnz:
        return np.zeros((ratings.shape[1], 0), np.float32)
    start = np.random.default_rng(seed).standard_normal(min(ratings.shape))
    _, strength, vectors = svds(ratings.astype(np.float64), k=most, v0=start)
    kept = np.argsort(-strength)
    kept = kept[strength[kept] > 1e-9 * strength.max()]
    return np.ascontiguousarray(vectors[kept].T, np.float32)


def unit(vectors: Floats) -> Floats:
    """Return the rows (U, D) at length 1; zeros stay zeros."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, np.float32(1e-12)), np.float32)


def nearest(vector: Floats, vectors: Floats, *, most: int) -> tuple[Longs, Floats]:
    """Return the places and cosines of the rows (U, D), of length 1, that are nearest to a vector (D,), best first."""
    cosines = vectors @ (vector / max(float(np.linalg.norm(vector)), 1e-12))  # (U,)
    last = len(cosines) - most
    best = np.argpartition(cosines, last)[last:] if last > 0 else np.arange(len(cosines))
    best = best[np.lexsort((best, -cosines[best]))].astype(np.int64)
    return best, cosines[best]
