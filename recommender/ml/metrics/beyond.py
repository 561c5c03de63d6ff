"""What pages do beside being right: how new, varied and evenly spread is what they show.

Shapes: B pages, k places, V items, D features. A place of −1 is empty and counts nothing.

novelty@k     mean over the places of −log2 (share of the viewers who had met the item): "Novelty and Diversity in
              Top-N Recommendation" (Vargas and Castells, 2011), section 4, after Zhou et al. (2010).
popularity@k  mean over the places of how many viewers had met the item (ARP: Abdollahpouri et al., 2019).
ild@k         mean over the pairs of a page of 1 − cosine of their features (Ziegler et al., 2005; Vargas and Castells).
coverage@k    share of all V items that stand on anyone's page.
gini@k        how unevenly the places are shared among all V items: 0 all alike, towards 1 one item takes all.
"""

import numpy as np
from scipy.sparse import csr_array

from recommender.ml.arrays import Ints, Longs, Matrix
from recommender.ml.metrics.accuracy import Scores


def mean_on_page(pages: Ints, values: Scores) -> Scores:
    """Return the mean (B,) of the values (V,) of the items on each page (B, k); 0 for an empty page."""
    filled = pages >= 0
    return np.asarray(np.where(filled, values[pages], 0).sum(1) / np.maximum(filled.sum(1), 1))


def intra_list_diversity(pages: Ints, features: Matrix) -> Scores:
    """Return ILD (B,) of pages (B, k) by features (V, D), rows of length 1.

    The sum over pairs comes from one vector, Σ_{i≠j} x_i·x_j = ‖Σ x‖² − n, so no pair is formed. Items without
    features (a row of zeros) are left out, and a page with fewer than two others has nothing to differ: 0.
    """
    told = np.diff(features.indptr) > 0  # (V,)
    place = (pages >= 0) & told[pages]  # (B, k)
    rows, columns = np.nonzero(place)
    cells = rows, pages[rows, columns].astype(np.int64)
    shown: Matrix = csr_array((np.ones(len(rows), np.float32), cells), shape=(len(pages), len(told)))
    total = shown @ features  # (B, D)
    count = place.sum(1)  # (B,)
    alike = total.multiply(total).sum(1) - count
    pairs = count * (count - 1)
    return np.where(pairs > 0, 1 - alike / np.maximum(pairs, 1), 0.0)


def exposure(pages: Ints, *, items: int) -> Longs:
    """Return how often each item (V,) stands on the pages."""
    return np.bincount(pages[pages >= 0], minlength=items).astype(np.int64)


def coverage(shown: Longs) -> float:
    """Return the share of the items, shown so often each (V,), that were shown at all."""
    return np.count_nonzero(shown) / max(len(shown), 1)


def gini(shown: Longs) -> float:
    """Return Σ (2 i − V − 1) x_i / (V Σ x) over the items' exposures x (V,), the least shown first; 0 without any."""
    if not shown.sum():
        return 0.0
    rank = 2 * np.arange(1, len(shown) + 1) - len(shown) - 1
    return float(rank @ np.sort(shown) / (len(shown) * shown.sum()))
