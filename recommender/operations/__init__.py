"""What is done: show a page; ask for a training, publish and reject versions."""

from recommender.operations.feed import Page, Session, Shown, show_page
from recommender.operations.versions import (
    Overtaken,
    Trained,
    ask_for_training,
    clear_artefacts,
    publish_version,
    reject_version,
)

__all__ = [
    "Overtaken",
    "Page",
    "Session",
    "Shown",
    "Trained",
    "ask_for_training",
    "clear_artefacts",
    "publish_version",
    "reject_version",
    "show_page",
]
