"""A page is drawn place by place from a mix of sources, so that every item's chance of being there is known.

At each place one source is drawn by its share, and it gives its next offer: of those that the page's rules let through,
the one that is best beside what stands there already (`ml.mmr`, `ml.dpp`). Given the places before, that is one certain
offer for most sources, one of a few with known chances for trials, and any item alike for exploration. So the
propensity of the item at the place is the sum, over all sources, of the source's share times the chance that it would
have given this item. Shapes: S sources, N offers.
"""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from recommender.ml.arrays import Flags, Floats
from recommender.ml.dpp import Dpp
from recommender.ml.mmr import Mmr
from recommender.serving.anywhere import Anywhere
from recommender.serving.page import Offer, Placed, Pool, Rules
from recommender.serving.texts import Words, Written
from recommender.serving.traits import Teller

LOOK_AHEAD = 4  # offers of a source among which one is drawn
EXPLORED = "explored"


class Wish(NamedTuple):
    """So many places of a page for items of a kind, the first of them in its first part, and so on."""

    many: int
    of_offers: Flags  # (N,)
    of_all: Callable[[], Flags]  # (M,) of the catalogue

    def is_due(self, place: int, size: int, met: int) -> bool:
        """Tell whether this place has to be of the kind, given how many were."""
        return met < self.many and place >= (met + 1) * size // (self.many + 1)


class Draw:
    """A page in the making. Rules yield, one after the other, when nothing that keeps to them is left."""

    def __init__(self, pool: Pool, *, anywhere: Anywhere, teller: Teller, rules: Rules, rng: random.Random) -> None:
        self.pool, self.anywhere, self.teller, self.rules, self.rng = pool, anywhere, teller, rules, rng
        self.traits = teller.of(pool.items)
        self.places = teller.catalogue.places_of(pool.items).tolist()  # (N,) in the catalogue
        self.words: list[Words | None] = [None] * len(self.places)  # of each offer, once somebody asked
        self.unlike = _METHODS[rules.method](self.traits.vectors, rules)
        self.worth = np.where(pool.offered, self.unlike.weighed(pool.relevance), -np.inf)  # (S, N)
        self.left = np.ones(len(pool.items), np.bool_)  # not on the page
        self.fits = self.left.copy()  # nor barred by a rule
        self.bars = {rule: np.zeros(len(pool.items), np.bool_) for rule in ("alike", "topic", "creator")}
        self.creators: Counter[int] = Counter()
        self.topics: Counter[int] = Counter()
        self.texts = Written(rules.alike)  # of what is on the page
        self.compared = [0] * len(self.places)  # with how many of these each offer was
        self.met = Counter[str]()
        self.page: list[Placed] = []
        self.wishes = {
            "new": Wish(rules.new_topics, self.traits.is_new, lambda: teller.all_new),
            "small": Wish(rules.small, self.traits.is_small, lambda: teller.all_small),
        }
        self._bar_copies()

    def fill(self, size: int) -> list[Placed]:
        """Draw until the page has so many places, or nothing more is offered."""
        while len(self.page) < size:
            if not self._place() and not self._yield():
                break
        return self.page

    def _place(self) -> bool:
        """Draw a source and its next offer; False when no source has one."""
        fronts, wanted = self._fronts()
        shares = [source.share if front else 0.0 for source, (front, _) in zip(self.pool.sources, fronts, strict=True)]
        shares.append(self.anywhere.share if wanted.many else 0.0)
        whole = sum(shares)
        if not whole:
            return False
        turn = self.rng.choices(range(len(shares)), shares)[0]
        if turn < len(fronts):
            front, chances = fronts[turn]
            drawn = front[0] if len(front) == 1 else self.rng.choices(front, chances)[0]
            offer, name = self.pool.offers[drawn], self.pool.sources[turn].name
        else:
            [offer] = self.anywhere.catalogue.offers(np.array([self.anywhere.draw(wanted.of_all)]))
            name = EXPLORED
        self._put(offer, name, self._chance(offer, fronts, wanted, shares) / whole)
        return True

    def _chance(self, offer: Offer, fronts: "list[Front]", wanted: "Wanted", shares: list[float]) -> float:
        """Return the sum, over sources, of the share times the chance that the source gives the offer."""
        at = self.pool.place_of.get(offer.item)
        told = [
            share * chances[front.index(at)]
            for share, (front, chances) in zip(shares, fronts, strict=False)
            if at in front
        ]
        if shares[-1] and self.anywhere.has(self._place_of(offer), wanted.of_all):
            told.append(shares[-1] / wanted.many)
        return sum(told)

    def _place_of(self, offer: Offer) -> int:
        """Return where an offer, or an item that was explored, stands in the catalogue."""
        at = self.pool.place_of.get(offer.item)
        return self.teller.place_of(offer.item) if at is None else self.places[at]

    def _words_of(self, at: int) -> Words:
        """Return the words of an offer's text."""
        known = self.words[at]
        if known is None:
            known = self.words[at] = self.teller.words_at(self.places[at])
        return known

    def _wanted(self, of_all: Flags | None) -> "Wanted":
        return Wanted(of_all, self.anywhere.within(of_all) if self.anywhere.share > 0 else 0)

    def _fronts(self) -> "tuple[list[Front], Wanted]":
        """Return each source's next offers, and what of the catalogue is wanted: what wishes are due decides."""
        scores = self.worth + self.unlike.apart()
        fits, wanted, fronts = self.fits, self._wanted(None), self._of_sources(scores, self.fits)
        for name, wish in self.wishes.items():
            if wish.is_due(len(self.page), self.rules.size, self.met[name]):
                of_all = wish.of_all()
                narrowed = self._wanted(of_all if wanted.of_all is None else wanted.of_all & of_all)
                also = self._of_sources(scores, fits & wish.of_offers)
                if narrowed.many or any(front for front, _ in also):
                    fits, wanted, fronts = fits & wish.of_offers, narrowed, also
        return fronts, wanted

    def _of_sources(self, scores: Floats, fits: Flags) -> "list[Front]":
        """Return each source's next offers that fit (N,), and how likely each is."""
        if not scores.size:
            return [_NOBODY] * len(scores)
        while True:
            kept = np.where(fits, scores, -np.inf)  # (S, N)
            best = kept.argmax(1)
            has = (kept[np.arange(len(kept)), best] > -np.inf).tolist()
            fronts = [
                self._front(source, place, fits) if has[source] else _NOBODY
                for source, place in enumerate(best.tolist())
            ]
            same = [place for front, _ in fronts for place in front if self._is_alike(place)]
            if not same:
                return fronts
            fits = fits.copy()
            fits[same] = False

    def _front(self, source: int, best: int, fits: Flags) -> "Front":
        ratio = self.pool.sources[source].ratio
        if not ratio:
            return [best], [1.0]
        order = self.pool.orders[source]
        front = order[fits[order]][:LOOK_AHEAD].tolist()
        chances = [ratio**rank for rank in range(len(front))]
        whole = sum(chances)
        return front, [chance / whole for chance in chances]

    def _is_alike(self, place: int) -> bool:
        """Tell whether an offer's text is that of something on the page, looking at what it was not compared with."""
        since = self.compared[place]
        if "alike" not in self.bars or since == len(self.texts):
            return False
        self.compared[place] = len(self.texts)
        if not self.texts.has(self._words_of(place), since=since):
            return False
        self._bar("alike", place)
        return True

    def _put(self, offer: Offer, source: str, likely: float) -> None:
        """Place the item, and bar what the rules do not let stand beside it."""
        self.page.append(Placed(offer, source, min(likely, 1.0)))
        at, place = self.pool.place_of.get(offer.item), self._place_of(offer)
        if at is None:
            of, row = self.teller.of(np.array([offer.item])), 0
            self.texts.add(self.teller.words_at(place))
        else:
            of, row = self.traits, at
            self.texts.add(self._words_of(at))
            self.left[at] = self.fits[at] = False
        self.unlike.place(of.vectors[row])
        self.met["new"] += bool(of.is_new[row])
        self.met["small"] += bool(of.is_small[row])
        self.anywhere.close(place)
        self.creators[offer.creator] += 1
        topic = int(of.topics[row])
        self.topics[topic] += 1
        self._bar_creator(offer.creator)
        self._bar_topic(topic)

    def _bar_copies(self) -> None:
        """Let what is ruled a copy come last where what it is a copy of is offered too, whichever is liked better."""
        copies, offered = self.teller.catalogue.copies, self.pool.place_of
        for copy in copies.keys() & offered.keys():
            if any(original in offered for original in copies[copy]):
                self._bar("alike", offered[copy])

    def _bar_creator(self, creator: int) -> None:
        if "creator" in self.bars and self.creators[creator] >= self.rules.per_creator:
            self._bar("creator", self.pool.creators == creator)
            self.anywhere.bar_creator(creator)

    def _bar_topic(self, topic: int) -> None:
        if "topic" in self.bars and topic and self.topics[topic] >= self.rules.per_topic:
            self._bar("topic", self.traits.topics == topic)
            self.anywhere.bar_topic(topic)

    def _bar(self, rule: str, of: Flags | int) -> None:
        """Let a rule bar some offers (N,), or the one that stands there."""
        self.bars[rule][of] = True
        self.fits[of] = False

    def _yield(self) -> bool:
        """Let the next rule yield; False when none is left."""
        if not self.bars:
            return False
        del self.bars[next(iter(self.bars))]
        self.fits = self.left.copy()
        for barred in self.bars.values():
            self.fits &= ~barred
        self.anywhere.unbar()
        for creator in self.creators:
            self._bar_creator(creator)
        for topic in self.topics:
            self._bar_topic(topic)
        return True


class Wanted(NamedTuple):
    """What of the catalogue may be explored at a place: any of these (M,), or of all; and how many that are."""

    of_all: Flags | None
    many: int


Front = tuple[list[int], list[float]]  # places of offers, and the chance of each

_NOBODY: Front = ([], [])


class _Unmoved:
    """Relevance alone."""

    def __init__(self, vectors: Floats, rules: Rules) -> None:
        self.nothing = np.zeros(len(vectors), np.float32)

    def weighed(self, relevance: Floats) -> Floats:
        return relevance

    def apart(self) -> Floats:
        return self.nothing

    def place(self, vector: Floats) -> None: ...


_METHODS: dict[str, Any] = {
    "mmr": lambda vectors, rules: Mmr(vectors, diversity=rules.diversity),
    "dpp": lambda vectors, rules: Dpp(vectors, diversity=rules.diversity),
    "none": _Unmoved,
}
