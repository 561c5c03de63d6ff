"""What can be told of the recommender: what is on the shelf, what a viewer did, which versions there are."""

from recommender.queries.candidates import candidates, shown_before
from recommender.queries.past import Past, past
from recommender.queries.shelf import Shelf, forget_shelves, shelf
from recommender.queries.versions import published_version, versions

__all__ = [
    "Past",
    "Shelf",
    "candidates",
    "forget_shelves",
    "past",
    "published_version",
    "shelf",
    "shown_before",
    "versions",
]
