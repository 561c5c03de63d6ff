"""Windows of histories, put together by length so that little padding is computed.

Shapes: U viewers, N positive events, W windows, B windows in a batch, T places.
"""

from collections.abc import Iterator
from typing import NamedTuple, Self

import torch
from torch import Tensor

from recommender.ml.interactions import Interactions
from recommender.ml.sequence import times

STEP = 8  # windows are padded to a multiple of it
NOISE = 0.2  # by which lengths are blurred when they are sorted, so that neighbours change between epochs
NEWEST = 0.5  # share of the windows on a long history that end where it ends
LATEST = 2**31 - 1  # seconds that a distance may have


class Chosen(NamedTuple):
    """Windows of a batch: where each begins among the events (B,) and how many places it has (B,)."""

    starts: Tensor
    lengths: Tensor

    def part(self, place: int, of: int) -> Self:
        """Return every so many-th window, from this place on."""
        return type(self)(self.starts[place::of], self.lengths[place::of])


class Batch(NamedTuple):
    """Windows that begin at the left; a target of −1 is none."""

    items: Tensor  # (B, T) codes
    gaps: Tensor  # (B, T) bucket of the time since the place before
    waits: Tensor  # (B, T) bucket of the time until the target is asked for
    relations: Tensor | None  # (B, T, T), where the encoder reads it
    targets: Tensor  # (B, T) codes of what came next


class Windows:
    """The positive events of all viewers on the device, and one window on each history per epoch."""

    def __init__(self, data: Interactions, *, length: int, tokens: int, untold: float, device: str) -> None:
        kept = data.positive
        self.item = torch.from_numpy(data.item[kept]).long().to(device)  # (N,)
        self.at = torch.from_numpy(data.at[kept]).to(device)  # (N,) milliseconds
        counts = torch.bincount(torch.from_numpy(data.viewer[kept]).long(), minlength=data.shape[0])  # (U,)
        starts = counts.cumsum(0) - counts
        told = counts > 1
        self.starts, self.counts = starts[told], counts[told]
        self.length, self.tokens, self.untold, self.device = length, tokens, untold, device

    def epoch(self, generator: torch.Generator) -> list[Chosen]:
        """Return an epoch's batches in random order."""
        lengths = (self.counts - 1).clamp(max=self.length)  # (W,)
        room = self.counts - 1 - lengths
        start = (torch.rand(len(room), generator=generator) * (room + 1)).long()
        start = torch.where(torch.rand(len(room), generator=generator) < NEWEST, room, start)
        blur = 1 + NOISE * (torch.rand(len(room), generator=generator) - 0.5)
        order = (lengths * blur).argsort(descending=True, stable=True)
        cuts = list(_cuts(lengths[order].tolist(), self.tokens))
        chosen = [Chosen(self.starts[rows] + start[rows], lengths[rows]) for rows in order.split(cuts)] if cuts else []
        return [chosen[place] for place in torch.randperm(len(chosen), generator=generator).tolist()]

    def batch(self, chosen: Chosen, *, pairwise: bool) -> Batch:
        """Return the windows as encoders read them; some are not told when the next item was asked for."""
        padded = -(-int(chosen.lengths.max()) // STEP) * STEP
        place = torch.arange(padded)  # (T,)
        real = (place < chosen.lengths[:, None]).to(self.device)  # (B, T)
        rows = (chosen.starts[:, None] + place).clamp(max=len(self.item) - 2).to(self.device)
        at = torch.where(real, self.at[rows], 0).cummax(1).values
        since = ((at - at[:, :1]) // 1000).clamp(max=LATEST).int()
        wait = ((self.at[rows + 1] - at) // 1000).clamp(min=0, max=LATEST)
        told = real & (torch.rand(len(rows), 1, device=self.device) >= self.untold)
        return Batch(
            items=torch.where(real, self.item[rows], 0),
            gaps=half_octaves(since.diff(dim=1, prepend=since[:, :1]), times.TIMES),
            waits=torch.where(told, half_octaves(wait, times.TIMES), times.UNTOLD),
            relations=relations(since) if pairwise else None,
            targets=torch.where(real, self.item[rows + 1], -1),
        )


def half_octaves(distance: Tensor, most: int) -> Tensor:
    """Return what `times.half_octaves` returns, on the device of the distances."""
    bits = (distance.clamp(min=0).float() + 1).view(torch.int32)
    return ((bits >> times.SHIFT) - times.ONE).clamp(max=most - 1)


def relations(since: Tensor) -> Tensor:
    """Return what `times.relations` returns."""
    place = torch.arange(since.shape[1], dtype=torch.int32, device=since.device)
    back = place[:, None] - place  # (T, T)
    near = half_octaves(back, times.PLACES) * times.TIMES
    ago = half_octaves(since[:, :, None] - since[:, None, :], times.TIMES)  # (B, T, T)
    return torch.where(back < 0, times.FUTURE, near + ago)


def _cuts(lengths: list[int], tokens: int) -> Iterator[int]:
    """Yield how many of the windows (W,) go into each batch, so that none has more than `tokens` places."""
    first = 0
    while first < len(lengths):
        size = 1
        longest = lengths[first]
        while first + size < len(lengths):
            longest = max(longest, lengths[first + size])
            if -(-longest // STEP) * STEP * (size + 1) > tokens:
                break
            size += 1
        yield size
        first += size
