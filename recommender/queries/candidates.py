"""What could stand on a viewer's next page, on whose word, and by which rules."""

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from recommender.ml.arrays import Floats, Longs
from recommender.ml.feed_settings import Settings
from recommender.models import Impression
from recommender.queries.past import Past
from recommender.queries.shelf import Shelf
from recommender.serving.anywhere import Anywhere
from recommender.serving.drawing import Draw
from recommender.serving.history import History
from recommender.serving.page import Offer, Placed, Pool, Rules, Source, evenly
from recommender.serving.served import Asked, Served
from recommender.serving.social import social
from recommender.serving.space import Space
from recommender.serving.taste import CODES
from recommender.serving.traits import Teller

OF = Impression.Source
AT_MOST = {
    OF.MODEL: 100,
    OF.SIMILAR: 30,
    OF.COLD: 20,
    OF.INTERESTS: 60,
    OF.FOLLOWED: 60,
    OF.SOCIAL: 60,
    OF.POPULAR: 120,
    OF.FRESH: 60,
}
FRESH_RATIO = 0.5  # a new item is half as likely as the one that has waited more for its trials
RANKED = 60  # candidates that the ranker is asked about
UNWANTED = 0.5  # what being like an unwanted item takes from relevance
UNWANTED_LAST = 5  # unwanted items that are looked at
NOWHERE = Space(None)


def draw(shelf: Shelf, past: Past, *, size: int, owed: int, rng: random.Random) -> Draw:
    """Return this viewer's page, ready to be drawn: `size` places will be seen, `owed` of them by small creators.

    Nothing hidden from the viewer is among the candidates, nor their own, nor anything of creators they hid.
    """
    served = shelf.served_to(past.viewer) if past.is_personal else None
    past = past.rated(served.bundle.ratings) if served else past
    space = served.space if served else NOWHERE
    met = past.items if past.is_personal else np.zeros(0, np.int64)
    teller = Teller(shelf.catalogue, space, met, shelf.settings.small_followers)
    pool = ranked(Pool(sources(shelf, past, served)), past, served, teller)
    anywhere = Anywhere(
        shelf.catalogue, share=shelf.settings.explored, hidden=past.hidden, creators=past.closed_creators, rng=rng
    )
    return Draw(pool, anywhere=anywhere, teller=teller, rules=rules(shelf, past, size=size, owed=owed), rng=rng)


def sources(shelf: Shelf, past: Past, served: Served | None) -> list[Source]:
    """Return who offers what: those that have a share and an offer.

    The share of the models goes to the chosen topics where they know nothing of the viewer, else to the popular.
    """
    share = shelf.settings
    told: dict[OF, Sequence[Offer]] = {}
    if served:
        history = History(past.history)
        found = served.best(history, _asked_of_models(share, past, served))
        told |= {OF.MODEL: found.best, OF.SIMILAR: found.similar}
        if share.social:
            told[OF.SOCIAL] = social(served.bundle, shelf.catalogue, past.followed, best=found.best)
        if share.cold:
            told[OF.COLD] = served.unmet(history, hidden=past.hidden, k=AT_MOST[OF.COLD])
    if past.is_personal:
        told[OF.FOLLOWED] = of_followed(shelf, past)
        told[OF.INTERESTS] = shelf.catalogue.of_topics(past.chosen, k=AT_MOST[OF.INTERESTS] + len(past.hidden))
    told |= {OF.POPULAR: shelf.catalogue.popular, OF.FRESH: shelf.fresh}
    offers = {name: _open(of, past, most=AT_MOST[name]) for name, of in told.items()}
    return [
        Source(name, of, offers[name], ratio=FRESH_RATIO if name == OF.FRESH else 0.0)
        for name, of in _shares(shelf, offers).items()
        if of and offers.get(name)
    ]


def _asked_of_models(share: Settings, past: Past, served: Served) -> Asked:
    return Asked(
        weights={
            name: share.weight_of(name, learnt=served.weights.get(name), is_main=not place)
            for place, name in enumerate(served.indexes)
        },
        hidden=past.hidden,
        granted=past.granted,
        k=AT_MOST[OF.MODEL] if share.personal else 0,
        similar=AT_MOST[OF.SIMILAR] if share.similar else 0,
    )


def _shares(shelf: Shelf, offers: dict[OF, list[Offer]]) -> dict[OF, float]:
    share = shelf.settings
    shares = {
        OF.MODEL: share.personal,
        OF.SIMILAR: share.similar,
        OF.COLD: share.cold,
        OF.INTERESTS: share.interests,
        OF.FOLLOWED: share.followed,
        OF.SOCIAL: share.social,
        OF.POPULAR: share.popular,
        OF.FRESH: share.fresh,
    }
    if not offers.get(OF.MODEL):
        shares[OF.INTERESTS if offers.get(OF.INTERESTS) else OF.POPULAR] += share.personal
    return shares


def of_followed(shelf: Shelf, past: Past) -> list[Offer]:
    """Return what the creators whom the viewer follows published last."""
    if not past.followed:
        return []
    just_now = [offer for offer in shelf.fresh if offer.creator in past.followed]
    return list(dict.fromkeys([*just_now, *shelf.catalogue.of_creators(past.followed)]))


def _open(offers: Iterable[Offer], past: Past, *, most: int) -> list[Offer]:
    """Return the first offers that may be shown to the viewer."""
    hidden, closed = past.hidden, past.closed_creators
    return list(islice((offer for offer in offers if offer.item not in hidden and offer.creator not in closed), most))


def ranked(pool: Pool, past: Past, served: Served | None, teller: Teller) -> Pool:
    """Return the same with each offer's relevance: what a view of it is worth, as far as the ranker says it.

    Without a ranker it falls evenly, in the order of each source. What is like something that the viewer lately did
    not want counts less. Trials keep their order.
    """
    lessens = _likeness_to_unwanted(pool.items, past, teller)
    asked = _asked(pool)
    worth = served.worth(past, pool.items[asked], at=past.asked_at) if served and len(asked) else None
    if worth is None and lessens is None:
        return pool
    told = np.full(len(pool.items), np.nan, np.float32)
    if worth is not None:
        told[asked] = _from_0_to_1(worth)
    return Pool([_with_relevance(*each, told, lessens) for each in zip(pool.sources, pool.orders, strict=True)])


def _asked(pool: Pool) -> Longs:
    """Return which offers to ask the ranker about: the first of every source, of each as many as its share makes."""
    turns = [np.arange(1, len(source.offers) + 1) / source.share for source in pool.sources if not source.ratio]
    orders = [order for source, order in zip(pool.sources, pool.orders, strict=True) if not source.ratio]
    if not orders:
        return np.zeros(0, np.int64)
    first = np.concatenate(orders)[np.argsort(np.concatenate(turns), kind="stable")]
    return np.array(list(dict.fromkeys(first.tolist()))[:RANKED], np.int64)


def _with_relevance(source: Source, order: Longs, told: Floats, lessens: Floats | None) -> Source:
    if source.ratio:
        return source
    own = told[order]
    unknown = np.isnan(own)
    fallback = evenly(len(order)) - (0 if unknown.all() else 1)  # behind those that are known
    relevance = np.where(unknown, fallback, own)
    return replace(source, relevance=relevance if lessens is None else relevance - UNWANTED * lessens[order])


def _from_0_to_1(worth: Floats) -> Floats:
    least, most = worth.min(), worth.max()
    return np.asarray((worth - least) / max(most - least, 1e-9), np.float32)


def _likeness_to_unwanted(items: Longs, past: Past, teller: Teller) -> Floats | None:
    """Return how like each item (N,) is to what the viewer lately did not want; None when there is no such thing."""
    unwanted = past.items[past.said == CODES["not_interested"]][:UNWANTED_LAST] if past.is_personal else past.items[:0]
    if not len(unwanted):
        return None
    like = teller.of(items).vectors @ teller.of(unwanted).vectors.T
    return np.asarray(like.max(1, initial=0))


def rules(shelf: Shelf, past: Past, *, size: int, owed: int) -> Rules:
    """Return what the page keeps to."""
    settings = shelf.settings
    unmet = min(settings.new_topics, size // 2)  # or a page of one place would never be to the viewer's taste
    return Rules(
        size=size,
        per_creator=settings.per_creator,
        per_topic=max(1, math.ceil(settings.per_topic * size)),
        alike=settings.alike,
        new_topics=unmet if past.is_personal else 0,
        small=owed,
        method=settings.method,
        diversity=settings.diversity,
    )


def shown_before(shelf: Shelf, past: Past, placed: Sequence[Placed], *, wanted: int) -> list[Placed]:
    """Return what was shown before this session, to fill a page that nothing new can fill."""
    if wanted <= 0 or not past.shown:
        return []
    on_page = {place.offer.item for place in placed}
    rest = np.array([item for item in past.shown if item not in on_page], np.int64)
    places = shelf.catalogue.places_of(rest)
    offers = _open(shelf.catalogue.offers(places[places >= 0]), replace(past, shown=()), most=wanted)
    return [Placed(offer, OF.AGAIN, 1.0) for offer in offers]
