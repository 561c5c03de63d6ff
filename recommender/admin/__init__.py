"""The recommender in the web admin."""

from recommender.admin.changes import VersionChangeAdmin
from recommender.admin.impressions import ImpressionAdmin
from recommender.admin.runs import TrainingRunAdmin
from recommender.admin.versions import ModelVersionAdmin

__all__ = ["ImpressionAdmin", "ModelVersionAdmin", "TrainingRunAdmin", "VersionChangeAdmin"]
