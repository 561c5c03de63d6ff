"""Turn scores into pages: the k best items a viewer has not met, in one order for everyone."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from recommender.ml.arrays import Ints
from recommender.ml.interactions import Interactions
from recommender.ml.model import Scorer

BATCH_CELLS = 4_000_000  # scores held at once: 16 MB


def recommend(
    model: Scorer,
    *,
    data: Interactions,
    viewers: Ints,
    k: int,
    progress: Callable[[int], object] | None = None,
) -> Ints:
    """Return the k best item codes for each viewer (B, k), best first, none that they met in `data`.

    Items of equal score stand in the order of their ids. Where fewer than k are unseen the rest is −1.
    Memory is flat: viewers are taken in batches.
    """
    seen = data.seen()  # (U, V)
    pages = [torch.empty(0, min(k, seen.shape[1]), dtype=torch.int32)]
    for batch in _batches(viewers, width=seen.shape[1]):
        scores = torch.from_numpy(np.array(model.score(data, batch), np.float32))  # (b, V)
        met = seen[batch].tocoo()
        scores[torch.from_numpy(met.row).long(), torch.from_numpy(met.col).long()] = -torch.inf
        pages.append(best(scores, k=min(k, seen.shape[1])))
        if progress:
            progress(len(batch))
    return torch.cat(pages).numpy()


def best(scores: Tensor, *, k: int) -> Tensor:
    """Return the places of the k best of scores (B, V) as int32 (B, k), ties by place, −1 for minus infinity.

    A float and its place are packed into one integer whose order is (score, −place): a total order that a
    partial sort cannot upset.
    """
    places = torch.arange(scores.shape[1] - 1, -1, -1, device=scores.device)  # (V,)
    bits = (scores + 0.0).view(torch.int32)  # + 0.0 makes −0 equal to 0
    ordered = bits ^ ((bits >> 31) & 0x7FFFFFFF)  # integers in the order of the floats
    packed = (ordered.long() << 32) | places  # (B, V)
    top = packed.topk(k, dim=1).values.bitwise_and(0xFFFFFFFF)
    found = (scores.shape[1] - 1 - top).int()  # (B, k)
    return found.masked_fill(scores.gather(1, found.long()) == -torch.inf, -1)


def _batches(viewers: Ints, *, width: int) -> Iterator[Ints]:
    size = max(1, BATCH_CELLS // max(width, 1))
    for start in range(0, len(viewers), size):
        yield viewers[start : start + size]
