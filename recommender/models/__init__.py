"""What is: versions of the model, and what was shown."""

from recommender.models.audience import Audience, NoisyAnswer
from recommender.models.campaigns import Addressee, Campaign
from recommender.models.changes import VersionChange
from recommender.models.choices import InterestChoice, PersonalisationRefusal, TasteReset
from recommender.models.duplicates import AlikePair
from recommender.models.experiments import Experiment, ExperimentReading, Exposure
from recommender.models.feed_settings import FeedSettings, FeedSettingsChange
from recommender.models.groups import ViewerGroup
from recommender.models.impressions import Impression
from recommender.models.notices import Notice, NoticeRefusal
from recommender.models.portraits import Portrait, PortraitRun, Segment
from recommender.models.propensity import PropensityReport
from recommender.models.ratings import RatingMapping
from recommender.models.refusals import PortraitRefusal
from recommender.models.rules import Rule
from recommender.models.runs import TrainingRun
from recommender.models.texts import CommentSignal, SpanLabel, TextRun, TopicSuggestion
from recommender.models.versions import ModelVersion

__all__ = [
    "Addressee",
    "AlikePair",
    "Audience",
    "Campaign",
    "CommentSignal",
    "Experiment",
    "ExperimentReading",
    "Exposure",
    "FeedSettings",
    "FeedSettingsChange",
    "Impression",
    "InterestChoice",
    "ModelVersion",
    "NoisyAnswer",
    "Notice",
    "NoticeRefusal",
    "PersonalisationRefusal",
    "Portrait",
    "PortraitRefusal",
    "PortraitRun",
    "PropensityReport",
    "RatingMapping",
    "Rule",
    "Segment",
    "SpanLabel",
    "TasteReset",
    "TextRun",
    "TopicSuggestion",
    "TrainingRun",
    "VersionChange",
    "ViewerGroup",
]
