"""How good rankings are, what else they do, and how sure one can be of it."""

from recommender.ml.metrics.accuracy import METRICS, Scores, auc, debiased_ndcg, hits, ideal_gain
from recommender.ml.metrics.beyond import coverage, exposure, gini, intra_list_diversity, mean_on_page
from recommender.ml.metrics.certainty import Difference, Interval, bootstrap, intervals, paired_difference, paired_tests

__all__ = [
    "METRICS",
    "Difference",
    "Interval",
    "Scores",
    "auc",
    "bootstrap",
    "coverage",
    "debiased_ndcg",
    "exposure",
    "gini",
    "hits",
    "ideal_gain",
    "intervals",
    "intra_list_diversity",
    "mean_on_page",
    "paired_difference",
    "paired_tests",
]
