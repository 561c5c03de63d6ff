"""What is: versions of the model, and what was shown."""

from recommender.models.changes import VersionChange
from recommender.models.impressions import Impression
from recommender.models.runs import TrainingRun
from recommender.models.versions import ModelVersion

__all__ = ["Impression", "ModelVersion", "TrainingRun", "VersionChange"]
