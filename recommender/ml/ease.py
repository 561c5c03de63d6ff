"""A linear autoencoder in closed form: what a viewer met foretells the rest, and no item may foretell itself.

B minimises ‖R − RB‖² + λ‖B‖² with diag(B) = 0:  P = (RᵀR + λI)⁻¹,  B = I − P / diag(P), column by column.
Follows "Embarrassingly Shallow Autoencoders for Sparse Data" (Steck, 2019), section 3.1. Shapes: U viewers, V items.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from recommender.ml.arrays import Floats, Matrix
from recommender.ml.interactions import BrokenData, Interactions
from recommender.ml.item_to_item import ItemToItem
from recommender.ml.model import Progress

MOST_ITEMS = 15_000  # V² weights: 900 MB, and V³ operations: a minute or two


@dataclass(frozen=True)
class Config:
    """`reg` is λ in ratings of mean strength per item: 1 is as many as the mean item has."""

    reg: float = 0.75


def fit(
    train: Interactions,
    *,
    config: Config = Config(),
    seed: int = 0,  # noqa: ARG001 (the interface of all models)
    device: str = "cpu",  # noqa: ARG001
    progress: Progress | None = None,  # noqa: ARG001
) -> ItemToItem:
    """Return the weights. Raises BrokenData where there are too many items for a dense inverse."""
    if train.shape[1] > MOST_ITEMS:
        raise BrokenData("too_many_items", f"EASE inverts a matrix of items: {train.shape[1]} are over {MOST_ITEMS}.")
    ratings = train.ratings()
    squares = float(np.square(ratings.data).sum())  # the trace of RᵀR
    reg = config.reg * squares / max(train.shape[1], 1) or 1.0
    return ItemToItem(name="ease", item_ids=train.item_ids, weights=weights(ratings, reg=reg))


def weights(ratings: Matrix, *, reg: float) -> Floats:
    """Return B (V, V) of ratings (U, V), solved by Cholesky's factors in place."""
    gram = (ratings.T @ ratings).toarray()  # (V, V)
    gram[np.diag_indices_from(gram)] += np.float32(reg)
    factor, failed = lapack.spotrf(gram, lower=1, overwrite_a=1)
    inverse, unsolved = lapack.spotri(factor, lower=1, overwrite_c=1)
    assert not failed, "a Gram matrix with a ridge is positive definite"
    assert not unsolved, "so is its inverse"
    inverse = np.tril(inverse) + np.tril(inverse, -1).T  # (V, V) P
    B = -inverse / np.diag(inverse)
    np.fill_diagonal(B, 0)
    return np.ascontiguousarray(B, np.float32)
