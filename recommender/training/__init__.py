"""The one bridge from the database to the models and back: read, learn, judge, publish."""

from recommender.training.classifying import classify_topics
from recommender.training.duplicates import find_duplicates
from recommender.training.portraits import export_portraits, refresh_portraits
from recommender.training.retraining import retrain
from recommender.training.tagging import tag_comments
from recommender.training.tuning import tune_as_asked

__all__ = [
    "classify_topics",
    "export_portraits",
    "find_duplicates",
    "refresh_portraits",
    "retrain",
    "tag_comments",
    "tune_as_asked",
]
