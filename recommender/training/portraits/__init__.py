"""From what viewers did to their portraits: read, learn from a sample, draw block by block, count, write down."""

from recommender.training.portraits.exporting import export_portraits
from recommender.training.portraits.refreshing import refresh_portraits

__all__ = ["export_portraits", "refresh_portraits"]
