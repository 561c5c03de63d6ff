"""The recommender in the web admin."""

from recommender.admin.audience import AudienceAdmin, NoisyAnswerAdmin, RuleAdmin
from recommender.admin.campaigns import AddresseeAdmin, CampaignAdmin, NoticeAdmin, NoticeRefusalAdmin, ViewerGroupAdmin
from recommender.admin.changes import VersionChangeAdmin
from recommender.admin.choices import InterestChoiceAdmin, PersonalisationRefusalAdmin, TasteResetAdmin
from recommender.admin.duplicates import AlikePairAdmin
from recommender.admin.experiments import ExperimentAdmin, ExperimentReadingAdmin, ExposureAdmin
from recommender.admin.feed_settings import FeedSettingsAdmin, FeedSettingsChangeAdmin
from recommender.admin.impressions import ImpressionAdmin
from recommender.admin.portraits import (
    PortraitAdmin,
    PortraitRefusalAdmin,
    PortraitRunAdmin,
    PropensityReportAdmin,
    SegmentAdmin,
)
from recommender.admin.ratings import RatingMappingAdmin
from recommender.admin.runs import TrainingRunAdmin
from recommender.admin.texts import CommentSignalAdmin, SpanLabelAdmin, TextRunAdmin, TopicSuggestionAdmin
from recommender.admin.versions import ModelVersionAdmin

__all__ = [
    "AddresseeAdmin",
    "AlikePairAdmin",
    "AudienceAdmin",
    "CampaignAdmin",
    "CommentSignalAdmin",
    "ExperimentAdmin",
    "ExperimentReadingAdmin",
    "ExposureAdmin",
    "FeedSettingsAdmin",
    "FeedSettingsChangeAdmin",
    "ImpressionAdmin",
    "InterestChoiceAdmin",
    "ModelVersionAdmin",
    "NoisyAnswerAdmin",
    "NoticeAdmin",
    "NoticeRefusalAdmin",
    "PersonalisationRefusalAdmin",
    "PortraitAdmin",
    "PortraitRefusalAdmin",
    "PortraitRunAdmin",
    "PropensityReportAdmin",
    "RatingMappingAdmin",
    "RuleAdmin",
    "SegmentAdmin",
    "SpanLabelAdmin",
    "TasteResetAdmin",
    "TextRunAdmin",
    "TopicSuggestionAdmin",
    "TrainingRunAdmin",
    "VersionChangeAdmin",
    "ViewerGroupAdmin",
]
