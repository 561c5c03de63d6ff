"""What can be told of the recommender: what is on the shelf, what a viewer did, which versions there are."""

from recommender.queries.candidates import candidates, shown_before
from recommender.queries.past import Past, past
from recommender.queries.shelf import Shelf, forget_shelves, shelf
from recommender.queries.versions import folders_in_use, newest_version, published_version, versions

__all__ = [
    "Past",
    "Shelf",
    "candidates",
    "folders_in_use",
    "forget_shelves",
    "newest_version",
    "past",
    "published_version",
    "shelf",
    "shown_before",
    "versions",
]
