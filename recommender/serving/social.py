"""What those follow who follow the same creators, as offers: no statement, a few small arrays."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from recommender.ml.rank_fusion import fused
from recommender.serving.bundle import SOCIAL, Bundle
from recommender.serving.catalogue import NEWEST_OF_A_CREATOR, Catalogue
from recommender.serving.page import Offer

FOLLOWED_LAST = 20  # that are asked about
CREATORS = 25  # that are found


def social(bundle: Bundle, catalogue: Catalogue, followed: Sequence[int], *, best: Sequence[Offer]) -> list[Offer]:
    """Return free items of creators whom those follow who follow the same ones, best first.

    Each creator's newest comes before anybody's second newest, and what the models offer too, their `best`, goes up:
    the two lists are fused by rank, the graph's and that of behaviour.
    """
    if bundle.social is None or not followed:
        return []

    def find() -> list[Offer]:
        near = bundle.social.nearest_to(followed[:FOLLOWED_LAST], k=CREATORS + len(followed))
        creators = near[~np.isin(near, followed)][:CREATORS]
        offers = catalogue.newest_of_each(creators, each=NEWEST_OF_A_CREATOR)
        both = set(offers).intersection(best)
        return fused([(1.0, offers), (1.0, [offer for offer in best if offer in both])]) if both else offers

    return bundle.breakers[SOCIAL].call(find, otherwise=[])


def followed_beside(bundle: Bundle, followed: Sequence[int], creator: int) -> int | None:
    """Return whom the viewer follows whose followers follow this creator most; None where nobody speaks for it."""
    if bundle.social is None:
        return None
    asked = partial(bundle.social.most_like, creator, followed[:FOLLOWED_LAST])
    found: int | None = bundle.breakers[SOCIAL].call(asked, otherwise=None)
    return found
