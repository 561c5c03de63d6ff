"""Has a population shifted? Light: web processes ask it too.

Shapes: C cells of a histogram.
"""

import numpy as np
from numpy.typing import NDArray

NOW_DAYS, BEFORE_DAYS = 7, 28  # what is compared: the last days, and those before them
SHIFTED = 0.25  # PSI from which a population is held to have shifted (Siddiqi, 2006, chapter 8)
FEWEST_EVENTS = 200  # on either side of a comparison


def psi(before: NDArray[np.int64], now: NDArray[np.int64]) -> float:
    """Return the population stability index of counts (C,): Σ (q − p) ln(q / p), half an event added to each cell."""
    p, q = ((counts + 0.5) / (counts.sum() + 0.5 * len(counts)) for counts in (before, now))
    return float(np.sum((q - p) * np.log(q / p)))
