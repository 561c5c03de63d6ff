"""What could stand on a viewer's next page, and on whose word."""

import random
from collections.abc import Sequence

from recommender.models import Impression
from recommender.queries.past import Past
from recommender.queries.shelf import Shelf
from recommender.serving.page import Offer, Placed, Source

MODEL, POPULAR, FOLLOWED, FRESH, EXPLORED, AGAIN = Impression.Source
OF_MODEL = 100
AT_RANDOM = 5
FRESH_RATIO = 0.5  # a new item is half as likely as the one that has waited more for its trials


def candidates(shelf: Shelf, past: Past, *, rng: random.Random) -> list[Source]:
    """Return who offers what for this viewer's page; what is hidden from them is left out when it is drawn."""
    catalogue, personal = shelf.catalogue, of_model(shelf, past)
    at_random = catalogue.at_random(hidden=past.hidden, wanted=AT_RANDOM, rng=rng)
    each = 1 / max(1, len(catalogue.free) - len(past.hidden))
    share = shelf.settings
    return [
        Source(MODEL, share.personal, personal),
        Source(FOLLOWED, share.followed, of_followed(shelf, past)),
        Source(POPULAR, share.popular + (0 if personal else share.personal), catalogue.popular),
        Source(FRESH, share.fresh, shelf.fresh, ratio=FRESH_RATIO),
        Source(EXPLORED, share.explored, at_random, chance=each),
    ]


def of_model(shelf: Shelf, past: Past) -> list[Offer]:
    """Return the model's best of all items for the viewer, or nothing when it knows nothing of them."""
    served = shelf.served_to(past.viewer)
    if served is None:
        return []
    main = next(iter(served.indexes))
    return served.best(main, past.history, hidden=past.hidden, granted=past.granted, k=OF_MODEL)


def of_followed(shelf: Shelf, past: Past) -> list[Offer]:
    """Return what the creators whom the viewer follows published last."""
    if not past.followed:
        return []
    just_now = [offer for offer in shelf.fresh if offer.creator in past.followed]
    return list(dict.fromkeys([*just_now, *shelf.catalogue.of_creators(past.followed)]))


def shown_before(past: Past, placed: Sequence[Placed], *, wanted: int) -> list[Placed]:
    """Return what was shown before this session, to fill a page that nothing new can fill."""
    on_page = {place.offer.item for place in placed}
    rest = [item for item in past.shown if item not in on_page][: max(wanted, 0)]
    return [Placed(Offer(item, 0), AGAIN, 1.0) for item in rest]
