"""What is done: show a page; ask for a training, publish and reject versions."""

from recommender.operations.advice import Advice, Advices, advise
from recommender.operations.audience import AudienceTooSmall, PrivacyIsSpent, Told, tell_audience
from recommender.operations.feed import Page, Session, Shown, show_page
from recommender.operations.feed_settings import BadFeedSettings, NotYourFeed, change_feed_settings, check_feed_settings
from recommender.operations.portraits import (
    StalePortraits,
    ask_for_export,
    ask_for_portraits,
    begin_run,
    check_portraits,
    finish_run,
    keep_segments,
    store_portraits,
)
from recommender.operations.refusals import allow_portrait, refuse_portrait
from recommender.operations.rules import ExactCountsAreClosed, tell_rules
from recommender.operations.served import (
    NothingToGoBackTo,
    NotServable,
    NotServed,
    Word,
    promote_version,
    roll_back,
    try_version,
    withdraw_version,
)
from recommender.operations.versions import (
    Overtaken,
    Trained,
    ask_for_training,
    clear_artefacts,
    publish_version,
    reject_version,
)

__all__ = [
    "Advice",
    "Advices",
    "AudienceTooSmall",
    "BadFeedSettings",
    "ExactCountsAreClosed",
    "NotServable",
    "NotServed",
    "NotYourFeed",
    "NothingToGoBackTo",
    "Overtaken",
    "Page",
    "PrivacyIsSpent",
    "Session",
    "Shown",
    "StalePortraits",
    "Told",
    "Trained",
    "Word",
    "advise",
    "allow_portrait",
    "ask_for_export",
    "ask_for_portraits",
    "ask_for_training",
    "begin_run",
    "change_feed_settings",
    "check_feed_settings",
    "check_portraits",
    "clear_artefacts",
    "finish_run",
    "keep_segments",
    "promote_version",
    "publish_version",
    "refuse_portrait",
    "reject_version",
    "roll_back",
    "show_page",
    "store_portraits",
    "tell_audience",
    "tell_rules",
    "try_version",
    "withdraw_version",
]
