"""Which way of foretelling is best for each head, measured on every viewer's withheld last event, and its words."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from recommender.ml.arrays import Floats, Ints
from recommender.ml.model import Progress
from recommender.ml.portraits import behaviour
from recommender.ml.portraits.sequences import HEADS, K, Sequences, Vocabulary, hit_rate, markov, popularity, withheld

WAYS = ("popularity", "markov", "gru")  # the plainest first
FEWEST = 30  # viewers whose last event can be withheld
FIRST, AMONG = "hit@1", f"hit@{K}"

Measured = Mapping[str, Mapping[str, float]]  # way → figure


@dataclass(frozen=True)
class Foreteller:
    """All ways, and which to believe for each head."""

    words: Vocabulary
    best: Mapping[str, str]
    measured: Mapping[str, Measured]  # per head
    judged: Mapping[str, int]  # viewers, per head
    gru: behaviour.Behaviour | None
    markov: Mapping[str, Floats]  # (C, C)
    popular: Mapping[str, Floats]  # (C,)

    def chances(self, found: Sequences) -> dict[str, Floats]:
        """Return the chance of each token (B, C) of each head to come after the viewers' last event."""
        by_gru = behaviour.foretell(self.gru, found) if self.gru and "gru" in self.best.values() else {}
        return {
            head: by_gru[head] if way == "gru" else self.plainly(way, head, found.tokens[head][:, -1])
            for head, way in self.best.items()
        }

    def plainly(self, way: str, head: str, before: Ints) -> Floats:
        """Return the chances (B, C) after tokens (B,) without the network."""
        if way == "markov":
            return np.asarray(self.markov[head][before], np.float32)
        return np.tile(self.popular[head], (len(before), 1))


def learn(
    found: Sequences, words: Vocabulary, *, seed: int, device: str = "cpu", progress: Progress | None = None
) -> Foreteller:
    """Learn all ways from a sample of viewers and measure them; with too few viewers, popularity is believed."""
    sizes = words.sizes
    asked = {head: withheld(found, head) for head in HEADS}
    judged = {head: len(asked[head][0]) for head in HEADS}
    gru = None
    if max(judged.values()) >= FEWEST:
        gru = behaviour.fit(found, config=behaviour.Config(sizes), seed=seed, device=device, progress=progress)
    plain = Foreteller(
        words,
        best=dict.fromkeys(HEADS, "popularity"),
        measured={},
        judged=judged,
        gru=gru,
        markov={head: markov(found, head, sizes[head]) for head in HEADS},
        popular={head: popularity(found, head, sizes[head]) for head in HEADS},
    )
    measured = {head: _measured(plain, found, head, *asked[head]) for head in HEADS}
    believed = {head: _best(measured[head]) for head in HEADS if judged[head] >= FEWEST}
    return replace(plain, measured=measured, best={**plain.best, **believed})


def likeliest(chances: Floats, *, most: int = K) -> tuple[Ints, Floats]:
    """Return the likeliest tokens and their chances (B, most) of chances (B, C), best first."""
    best = np.argsort(-chances, axis=1, kind="stable")[:, :most]
    return best.astype(np.int32), np.take_along_axis(chances, best, 1)


def _measured(ways: Foreteller, found: Sequences, head: str, rows: Ints, places: Ints) -> Measured:
    asked = found.rows(rows)
    target, before = found.targets[head][rows, places], found.tokens[head][rows, places]
    told = {way: ways.plainly(way, head, before) for way in WAYS[:2]}
    if ways.gru is not None:
        told["gru"] = behaviour.foretell(ways.gru, asked, places=places)[head]
    return {
        way: {FIRST: round(hit_rate(told[way], target, k=1), 4), AMONG: round(hit_rate(told[way], target), 4)}
        for way in told
    }


def _best(measured: Measured) -> str:
    """Return the way that is most often right at the first place; a tie goes to the plainer one."""
    return max((way for way in WAYS if way in measured), key=lambda way: measured[way][FIRST])
