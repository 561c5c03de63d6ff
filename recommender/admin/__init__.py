"""The recommender in the web admin."""

from recommender.admin.impressions import ImpressionAdmin
from recommender.admin.versions import ModelVersionAdmin

__all__ = ["ImpressionAdmin", "ModelVersionAdmin"]
