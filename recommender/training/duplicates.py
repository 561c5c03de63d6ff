"""Looking through a tenant's whole catalogue for items that say nearly the same."""

from datetime import datetime

import numpy as np

from catalog.queries import told_of_items
from kpplatform.tenancy.models import Tenant
from kpplatform.tenancy.scope import scope
from recommender import operations
from recommender.ml.duplicates import ALIKE, duplicates
from recommender.training.reading import attributes


def find_duplicates(*, tenant: Tenant, at: datetime, alike: float = ALIKE) -> int:
    """Find the pairs of items of any state whose titles and tags are that much alike, and keep them; return how many.

    Titles and tags are all that is compared: there are no frames of videos to look at yet.
    """
    with scope(tenant):
        ids = np.sort(np.array([of.item for of in told_of_items()], np.int64))
        told = attributes(ids)
    found = duplicates(told, alike=alike)
    pairs = zip(ids[found.one].tolist(), ids[found.other].tolist(), found.cosine.tolist(), strict=True)
    with scope(tenant):
        return operations.keep_alike(pairs=pairs, at=at)
