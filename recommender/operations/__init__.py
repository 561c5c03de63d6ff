"""What is done: show a page; ask for a training, publish and reject versions."""

from recommender.operations.feed import Page, Session, Shown, show_page
from recommender.operations.versions import ask_for_training

__all__ = ["Page", "Session", "Shown", "ask_for_training", "show_page"]
