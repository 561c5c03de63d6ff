"""What can be told of the recommender: what is on the shelf, what a viewer did, which versions there are."""

from recommender.queries.audience import answered, audience, spent, supply
from recommender.queries.candidates import draw, shown_before
from recommender.queries.experiments import all_experiments, figures, readings, running_experiments
from recommender.queries.feed_settings import feed_settings, feed_settings_changes
from recommender.queries.past import Past, past
from recommender.queries.portraits import (
    Freshness,
    centres_by_label,
    first_unused_label,
    fit,
    freshness,
    nearest_to,
    newest_run,
    portrait_of,
    portraits,
    propensity_reports,
    refused_at,
    segments,
    vector_of,
    viewers_to_draw,
)
from recommender.queries.privacy import Privacy, period, privacy
from recommender.queries.rules import rules
from recommender.queries.shelf import Shelf, bytes_at_hand, forget_shelves, lacking, shelf, shelf_at_hand
from recommender.queries.versions import (
    audited_version,
    canary_version,
    changes,
    folders_in_use,
    newest_version,
    published_version,
    retired_versions,
    training_runs,
    versions,
    with_lost,
)

__all__ = [
    "Freshness",
    "Past",
    "Privacy",
    "Shelf",
    "all_experiments",
    "answered",
    "audience",
    "audited_version",
    "bytes_at_hand",
    "canary_version",
    "centres_by_label",
    "changes",
    "draw",
    "feed_settings",
    "feed_settings_changes",
    "figures",
    "first_unused_label",
    "fit",
    "folders_in_use",
    "forget_shelves",
    "freshness",
    "lacking",
    "nearest_to",
    "newest_run",
    "newest_version",
    "past",
    "period",
    "portrait_of",
    "portraits",
    "privacy",
    "propensity_reports",
    "published_version",
    "readings",
    "refused_at",
    "retired_versions",
    "rules",
    "running_experiments",
    "segments",
    "shelf",
    "shelf_at_hand",
    "shown_before",
    "spent",
    "supply",
    "training_runs",
    "vector_of",
    "versions",
    "viewers_to_draw",
    "with_lost",
]
