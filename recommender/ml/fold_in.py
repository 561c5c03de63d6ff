"""Give a viewer a vector from their history, in numpy, so that a web process can do it at every request.

Each function solves, for item vectors that stay as they are, the same least squares that training solves for
a viewer. Shapes: n items in the history, V items, D factors.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from recommender.ml.arrays import Floats

Array = NDArray[np.floating]
Numbers = Mapping[str, float]
FoldIn = Callable[[Floats, Floats, Floats, Numbers], Floats]


def implicit(vectors: Floats, targets: Floats, gram: Floats, numbers: Numbers) -> Floats:
    """Return (YᵀY + Yₕᵀ(C − I)Yₕ + ridge I)⁻¹ Yₕᵀ C p for the history's vectors (n, D) and weights (n,).

    C = 1 + α |weight|, p = 1 where the weight is positive; gram (D, D) is YᵀY over all V items. Hu, Koren,
    Volinsky (2008), equation 4, with the frequency-scaled ridge of `ridge`.
    """
    extra = numbers["alpha"] * np.abs(targets)  # (n,)
    left = gram + (vectors.T * extra) @ vectors  # (D, D)
    right = vectors.T @ np.where(targets > 0, 1 + extra, 0)  # (D,)
    return _solved(left, right, ridge(int(np.count_nonzero(targets)), numbers))


def ridge(events: float, numbers: Numbers) -> float:
    """Return the regularisation of a viewer with so many cells: reg · (their share of the loss) ^ power.

    The share is (α · cells + V) over its mean, so that power 0 is a plain ridge and power 1 grows with
    frequency (Rendle et al., 2021, section 3).
    """
    share = (numbers["alpha"] * events + numbers["others"]) / numbers["mean"]
    return float(numbers["reg"] * share ** numbers["power"])


def rated(vectors: Floats, targets: Floats, gram: Floats, numbers: Numbers) -> Floats:
    """Return the ridge regression of targets (n,) on vectors (n, D), beside unseen items drawn as zeros.

    gram (D, D + 1) holds the mean over all V items of y yᵀ and, in its last column, of −b y: what a drawn
    item adds.
    """
    drawn = numbers["negatives"] * len(targets)
    left = vectors.T @ vectors + drawn * gram[:, :-1]  # (D, D)
    right = vectors.T @ targets + drawn * gram[:, -1]  # (D,)
    return _solved(left, right, numbers["reg"] * (len(targets) + drawn))


def projected(vectors: Floats, targets: Floats, gram: Floats, numbers: Numbers) -> Floats:  # noqa: ARG001
    """Return Yₕᵀ r (D,): where the ratings (n,) point among directions that are orthogonal over all items."""
    return np.asarray(vectors.T @ targets, np.float32)


def nothing(vectors: Floats, targets: Floats, gram: Floats, numbers: Numbers) -> Floats:  # noqa: ARG001
    """Return zeros (D,): a model that treats every viewer alike."""
    return np.zeros(vectors.shape[1], np.float32)


FOLDS: Mapping[str, FoldIn] = {"implicit": implicit, "rated": rated, "projected": projected, "nothing": nothing}


def _solved(left: Array, right: Array, penalty: float) -> Floats:
    whole = left.astype(np.float64) + max(penalty, 1e-9) * np.eye(len(left))
    return np.linalg.solve(whole, right.astype(np.float64)).astype(np.float32)
