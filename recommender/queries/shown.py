"""What was shown to whom, everybody's, in the form that a ranker learns from."""

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from recommender.models import Impression

SHOWN = np.dtype([("viewer", "<i8"), ("item", "<i8"), ("at", "<i8"), ("page", "<i8"), ("position", "<i8")])
ROWS = 10_000  # read at once


def shown_between(since: datetime, until: datetime, *, most: int) -> NDArray[np.void]:
    """Return the latest impressions in [since, until), `most` of them, as SHOWN: `at` in milliseconds.

    A page is told by the first half of its random id.
    """
    told = Impression.objects.filter(shown_at__gte=since, shown_at__lt=until).order_by("-shown_at", "-pk")[:most]
    rows = told.values_list("viewer_id", "item_id", "shown_at", "page", "position").iterator(ROWS)
    seen = (
        (viewer, item, round(at.timestamp() * 1_000), page.int >> 65, position)
        for viewer, item, at, page, position in rows
    )
    return np.fromiter(seen, SHOWN)
