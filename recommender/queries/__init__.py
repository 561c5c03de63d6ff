"""What can be told of the recommender: what is on the shelf, what a viewer did, which versions there are."""

from recommender.queries.candidates import candidates, shown_before
from recommender.queries.past import Past, past
from recommender.queries.shelf import Shelf, forget_shelves, shelf
from recommender.queries.versions import (
    canary_version,
    changes,
    folders_in_use,
    newest_version,
    published_version,
    retired_versions,
    training_runs,
    versions,
)

__all__ = [
    "Past",
    "Shelf",
    "canary_version",
    "candidates",
    "changes",
    "folders_in_use",
    "forget_shelves",
    "newest_version",
    "past",
    "published_version",
    "retired_versions",
    "shelf",
    "shown_before",
    "training_runs",
    "versions",
]
