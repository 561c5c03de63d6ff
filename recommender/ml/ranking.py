"""Turn scores into pages: the k best items a viewer has not met, in one order for everyone."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recommender.ml.arrays import Floats, Ints, Longs
from recommender.ml.interactions import BrokenData, Interactions
from recommender.ml.model import Scorer

BATCH_CELLS = 4_000_000  # scores held at once: 16 MB
NARROWEST = 4  # scores in a block, below which blocks spare nothing


@dataclass(frozen=True)
class Ranked:
    """Some viewers with the scores of all items and the best of them."""

    viewers: Ints  # (B,)
    scores: Floats  # (B, V) minus infinity where an item was met
    met: Longs  # (B,) how many
    pages: Ints  # (B, k) item codes, best first


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
    """
    pages = [np.zeros((0, min(k, data.shape[1])), np.int32)]
    for block in ranked(model, data=data, viewers=viewers, k=k):
        pages.append(block.pages)
        if progress:
            progress(len(block.viewers))
    return np.concatenate(pages)


def ranked(model: Scorer, *, data: Interactions, viewers: Ints, k: int) -> Iterator[Ranked]:
    """Yield the viewers in blocks, ranked as `recommend` does, so that memory is flat.

    Raises BrokenData where a score is NaN, which has no place in an order.
    """
    seen = data.seen()  # (U, V)
    for batch in _batches(viewers, width=seen.shape[1]):
        scores = np.array(model.score(data, batch), np.float32)  # (B, V)
        if np.isnan(scores).any():
            raise BrokenData("score_nan", "The model gave scores that are no numbers.")
        met = seen[batch].tocoo()
        scores[met.row, met.col] = -np.inf
        pages = best(torch.from_numpy(scores), k=min(k, seen.shape[1])).numpy()
        yield Ranked(batch, scores, np.bincount(met.row, minlength=len(batch)), pages)


def best(scores: Tensor, *, k: int) -> Tensor:
    """Return the places of the k best of scores (B, V) as int32 (B, k), ties by place, −1 for minus infinity.

    The k best lie in the k blocks with the largest maxima, so what is sorted is V / R maxima and then k · R scores:
    least for R = √(V / k), and most of the time goes into reading the scores once. Blocks and places are ordered alike,
    so that a tie between maxima is one between places.
    """
    width = math.isqrt(scores.shape[1] // max(k, 1))  # R, scores in a block
    found = _largest(scores, k=k) if width < NARROWEST else _largest_of_blocks(scores, k=k, width=width)  # (B, k)
    return found.masked_fill(scores.gather(1, found) == -torch.inf, -1).int()


def _largest_of_blocks(scores: Tensor, *, k: int, width: int) -> Tensor:
    blocks = scores.shape[1] // width
    maxima = scores[:, : blocks * width].unflatten(1, (blocks, width)).amax(2)  # (B, V / R)
    chosen = _largest(maxima, k=k).sort(1).values  # (B, k)
    inside = chosen[:, :, None] * width + torch.arange(width, device=scores.device)  # (B, k, R)
    behind = torch.arange(blocks * width, scores.shape[1], device=scores.device).expand(len(scores), -1)
    places = torch.cat([inside.flatten(1), behind], 1)
    return places.gather(1, _largest(scores.gather(1, places), k=k))


def _largest(scores: Tensor, *, k: int) -> Tensor:
    """Return the places of the k largest (B, k), best first, ties by place.

    A float and its place are packed into one integer whose order is (score, −place): a total order that a
    partial sort cannot upset.
    """
    places = torch.arange(scores.shape[1] - 1, -1, -1, device=scores.device)  # (V,)
    bits = (scores + 0.0).view(torch.int32)  # + 0.0 makes −0 equal to 0
    ordered = bits ^ ((bits >> 31) & 0x7FFFFFFF)  # integers in the order of the floats
    packed = (ordered.long() << 32) | places  # (B, V)
    return scores.shape[1] - 1 - packed.topk(k, dim=1).values.bitwise_and(0xFFFFFFFF)


def _batches(viewers: Ints, *, width: int) -> Iterator[Ints]:
    size = max(1, BATCH_CELLS // max(width, 1))
    for start in range(0, len(viewers), size):
        yield viewers[start : start + size]
