"""The one bridge from the database to the models and back: read, learn, judge, publish."""

from recommender.training.retraining import retrain

__all__ = ["retrain"]
