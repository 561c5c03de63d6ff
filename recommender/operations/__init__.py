"""What is done: show a page; ask for a training, publish and reject versions."""

from recommender.operations.feed import Page, Session, Shown, show_page
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
    "NotServable",
    "NotServed",
    "NothingToGoBackTo",
    "Overtaken",
    "Page",
    "Session",
    "Shown",
    "Trained",
    "Word",
    "ask_for_training",
    "clear_artefacts",
    "promote_version",
    "publish_version",
    "reject_version",
    "roll_back",
    "show_page",
    "try_version",
    "withdraw_version",
]
