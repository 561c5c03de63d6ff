"""What is done: show a page; ask for a training, publish and reject versions."""

from recommender.operations.feed import Page, Session, Shown, show_page
from recommender.operations.versions import Trained, ask_for_training, publish_version, reject_version

__all__ = [
    "Page",
    "Session",
    "Shown",
    "Trained",
    "ask_for_training",
    "publish_version",
    "reject_version",
    "show_page",
]
