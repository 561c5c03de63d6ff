"""Whoever liked this also liked that: items are as alike as the columns of ratings that viewers gave them.

s(i, j) = rᵢ·rⱼ / (‖rᵢ‖ ‖rⱼ‖ + h) over all viewers, and an item's score is Σ over what a viewer met of s · rating, each
item met speaking for its nearest neighbours only: "Item-Based Top-N Recommendation Algorithms" (Deshpande and
Karypis, 2004), section 4. Shapes: U viewers, V items.
"""

from dataclasses import dataclass

import numpy as np

from recommender.ml.arrays import Matrix
from recommender.ml.interactions import Interactions
from recommender.ml.item_to_item import ItemToItem
from recommender.ml.model import Progress
from recommender.ml.similarity import blocks, cosines, nearest, stacked


@dataclass(frozen=True)
class Config:
    """How many neighbours an item has, and how many ratings of mean strength a likeness must outweigh."""

    neighbours: int = 100
    shrink: float = 20.0


def fit(
    train: Interactions,
    *,
    config: Config = Config(),
    seed: int = 0,  # noqa: ARG001 (the interface of all models)
    device: str = "cpu",  # noqa: ARG001
    progress: Progress | None = None,
) -> ItemToItem:
    """Return the nearest neighbours of every item."""
    ratings = train.ratings()
    weights = similarities(ratings, config, progress)
    return ItemToItem(name="item-cosine", item_ids=train.item_ids, weights=weights)


def similarities(ratings: Matrix, config: Config, progress: Progress | None = None) -> Matrix:
    """Return s (V, V) of ratings (U, V), each row's nearest only and no item its own neighbour."""
    items = ratings.T.tocsr()  # (V, U)
    shrink = config.shrink * float(np.square(ratings.data).mean()) if ratings.nnz else 0.0
    found: list[Matrix] = []
    for rows in blocks(items.shape[0], width=items.shape[0]):
        near = cosines(items[rows], items, shrink=shrink)
        itself = near.indices == np.repeat(np.arange(rows.start, rows.stop), np.diff(near.indptr))
        near.data[itself] = 0
        found.append(nearest(near, each=config.neighbours))
        if progress:
            progress(rows.stop, items.shape[0])
    return stacked(found, width=items.shape[0])
