"""How long ago, in buckets that grow with the distance: half octaves of seconds and of places.

A bucket is read off the bits of a float: its exponent and the first bit of its mantissa count half octaves exactly,
so numpy in a web process and torch in training never disagree about a boundary. Buckets of relative time in attention
follow "Actions Speak Louder than Words" (Zhai et al., 2024), section 3.2, and of relative place T5 (Raffel et al.,
2020). Shapes: B viewers, T places.
"""

import numpy as np

from recommender.ml.arrays import Ints, Longs

TIMES = 64  # buckets of time: 32 octaves of seconds, 136 years
UNTOLD = TIMES  # the bucket of a wait that nobody knows
PLACES = 16  # buckets of distance: 8 octaves of places
FUTURE = TIMES * PLACES  # the relation to what comes later
ONE = 254  # half octaves below 1.0 in the bits of a float
SHIFT = 22


def seconds(at: Longs) -> Ints:
    """Return moments (B, T) in milliseconds as seconds since the first of their row."""
    since = np.maximum(at - at[:, :1], 0) // 1000
    return np.asarray(np.minimum(since, np.iinfo(np.int32).max), np.int32)


def half_octaves(distance: Ints, most: int) -> Ints:
    """Return the bucket of distances ≥ 0: 0 for none, then two for each doubling, below `most`."""
    bits = (np.maximum(distance, 0).astype(np.float32) + np.float32(1)).view(np.int32)
    return np.asarray(np.minimum((bits >> SHIFT) - ONE, most - 1), np.int32)


def gaps(since: Ints) -> Ints:
    """Return for moments (B, T) in seconds the bucket (B, T) of the time since the place before."""
    return half_octaves(np.diff(since, axis=1, prepend=since[:, :1]), TIMES)


def waits(at: Longs, lengths: Ints, asked_at: Longs) -> Ints:
    """Return for moments (B, T) in milliseconds the bucket (B, T) of the time until the next one.

    At each viewer's last place it is the time until they are asked (B,); UNTOLD everywhere where that is −1.
    """
    following = np.concatenate([at[:, 1:], at[:, -1:]], axis=1)
    following[np.arange(len(at)), np.maximum(lengths, 1) - 1] = asked_at
    told = half_octaves(np.minimum(np.maximum(following - at, 0) // 1000, np.iinfo(np.int32).max), TIMES)
    return np.where(asked_at[:, None] < 0, np.int32(UNTOLD), told)


def relations(since: Ints) -> Ints:
    """Return for moments (B, T) in seconds the relation (B, T, T) of every place to every other.

    It is bucket of distance · TIMES + bucket of time for what came before, and FUTURE for what comes after.
    """
    place = np.arange(since.shape[1], dtype=np.int32)
    back = place[:, None] - place  # (T, T)
    near = half_octaves(back, PLACES) * np.int32(TIMES)
    ago = half_octaves(since[:, :, None] - since[:, None, :], TIMES)  # (B, T, T)
    return np.where(back < 0, np.int32(FUTURE), near + ago)
